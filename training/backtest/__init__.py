"""HOW IT WOULD HAVE GONE: history replayed date by date, on what was known then, against what happened."""
