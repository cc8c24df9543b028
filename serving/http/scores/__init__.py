"""The published scores over HTTP: looked up, searched, exported, followed through time."""
