"""Rolling as-of dates: which ones, what was known on each, and what happened after it."""
