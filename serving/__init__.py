"""WHOM WE TELL: scores for files, jobs and services."""
