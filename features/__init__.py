"""WHAT WE KNEW: as-of features, defined once as Ibis expressions, run on DuckDB or Spark."""
