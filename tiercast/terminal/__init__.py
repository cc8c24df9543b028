"""Text for people: results on stdout, messages and progress bars on stderr."""
