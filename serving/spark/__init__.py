"""Scoring on Spark: workers receive the bundle, features stay with them, and the files appear all at once."""
