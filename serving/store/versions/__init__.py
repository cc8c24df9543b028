"""The store's schema, step by step: each module here takes it one revision further."""
