"""Alembic runs this file for every command. It migrates the connection that `store.migrations` passes on."""

from __future__ import annotations

from alembic import context
from sqlalchemy.engine import Connection


def migrate(connection: Connection) -> None:
    """Run the revisions in the transaction of `connection`."""
    context.configure(connection=connection)
    context.run_migrations()


if __name__ == "env_py":  # the name that Alembic gives to this file; an ordinary import does nothing
    migrate(context.config.attributes["connection"])
