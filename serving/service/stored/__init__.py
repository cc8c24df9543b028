"""Scores that were published: looked up, searched, exported, followed through time."""
