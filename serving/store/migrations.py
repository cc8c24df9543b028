"""The store's schema and its revisions: making it, bringing it up to date, and refusing one that does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine

from tiercast.contract import errors
from tiercast.serving.store import database

LOCK = 7_420_161  # any number: one upgrade of a PostgreSQL store at a time


def upgrade(engine: Engine) -> None:
    """Bring the store to this version's schema, from nothing or from an older one. Raises `StoreRefused` for a newer.

    Whole or not at all, on both databases; of two that upgrade at once, the second finds nothing to do.
    """
    script = _script()
    with database.write_transaction(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        found = _revision(connection)
        _refuse_newer(engine, script, found)
        if found == script.get_current_head():
            return

        def steps(revision: Any, _: Any) -> Any:
            return script._upgrade_revs("head", revision)

        context = MigrationContext.configure(connection, opts={"fn": steps})
        with Operations.context(context):
            context.run_migrations()


def prepare(engine: Engine) -> None:
    """Make the tables where there are none; else the same as `require`."""
    with database.read_transaction(engine) as connection:
        found = _revision(connection)
    if found is None:
        upgrade(engine)
    require(engine)


def require(engine: Engine) -> None:
    """Refuse a store that is empty, of an older or of a newer schema. Raises `StoreRefused`."""
    script = _script()
    with database.read_transaction(engine) as connection:
        found = _revision(connection)
    if found == script.get_current_head():
        return
    _refuse_newer(engine, script, found)
    if found is None:
        what, hint = "there is no store in this database", "tiercast publish SCORES --store URL makes it"
    else:
        what = f"the store has the older schema {found}, this version needs {script.get_current_head()}"
        hint = "tiercast generations --upgrade --store URL"
    raise errors.StoreRefused(what, first=database.display_url(engine), hint=hint)


def _refuse_newer(engine: Engine, script: ScriptDirectory, found: str | None) -> None:
    if found is not None and found not in _known(script):
        what = f"the store has the schema {found}, which this version does not know"
        hint = "use the version of Tiercast that made it, or a newer one"
        raise errors.StoreRefused(what, first=database.display_url(engine), hint=hint)


def _known(script: ScriptDirectory) -> Sequence[str]:
    return [each.revision for each in script.walk_revisions()]


def _script() -> ScriptDirectory:
    folder = Path(__file__).parent
    return ScriptDirectory(str(folder), version_locations=[str(folder / "versions")])


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
