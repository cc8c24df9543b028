"""Scoring on Spark: the bundle goes to the workers, features never come to the driver, and files appear all at once."""
