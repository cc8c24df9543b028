"""Whole jobs behind the commands: read, compute, write and log, with a progress bar on a terminal."""
