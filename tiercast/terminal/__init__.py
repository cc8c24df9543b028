"""What a person sees: results on stdout, messages and progress bars on stderr."""
