"""The score store: complete generations of scores in SQLite or PostgreSQL, published and read as a whole."""
