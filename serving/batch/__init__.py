"""Scoring a whole base from files to a file: in parts, resumable, and incremental from day to day."""
