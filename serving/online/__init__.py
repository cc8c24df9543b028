"""Online scoring: requests in, scores out, in one process and without files."""
