"""The revisions of the store's schema, one per module."""
