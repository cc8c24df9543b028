"""HOW GOOD IT IS: every number of the report as a pure function on arrays, with its interval."""
