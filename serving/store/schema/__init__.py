"""The store's schema for Alembic: its environment and the revisions that lead to `store.tables`."""
