"""The holdout: the bundle of an earlier day, and plain rules, against what happened after it."""
