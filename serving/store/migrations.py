"""The schema of a store: create it, upgrade it, and refuse one that does not fit this version."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine

from tiercast.contract import errors
from tiercast.serving.store import database

SCHEMA = Path(__file__).parent / "schema"
LOCK = 7_420_161  # any number: one upgrade of a PostgreSQL store at a time


def upgrade(engine: Engine) -> None:
    """Bring the store to this version's schema, from nothing or from an older one. Raises `StoreRefused` for a newer.

    One transaction, on both databases. The second of two concurrent upgrades finds nothing to do.
    """
    with database.write_transaction(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        _refuse_newer(engine, _revision(connection))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def prepare(engine: Engine) -> None:
    """Create the tables of an empty database; refuse another schema as `require` does."""
    with database.read_transaction(engine) as connection:
        revision = _revision(connection)
    if revision is None:
        upgrade(engine)
    require(engine)


def require(engine: Engine) -> None:
    """Refuse a store that is empty, or of an older or newer schema. Raises `StoreRefused`."""
    with database.read_transaction(engine) as connection:
        revision = _revision(connection)
    head = _script().get_current_head()
    if revision == head:
        return
    _refuse_newer(engine, revision)
    if revision is None:
        what, hint = "there is no store in this database", "tiercast publish SCORES --store URL makes it"
    else:
        what = f"the store has the older schema {revision}, this version needs {head}"
        hint = "tiercast generations --upgrade --store URL"
    raise errors.StoreRefused(what, first=database.display_url(engine), hint=hint)


def _refuse_newer(engine: Engine, revision: str | None) -> None:
    known = [each.revision for each in _script().walk_revisions()]
    if revision is not None and revision not in known:
        what = f"the store has the schema {revision}, which this version does not know"
        hint = "use the version of Tiercast that made it, or a newer one"
        raise errors.StoreRefused(what, first=database.display_url(engine), hint=hint)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCHEMA).replace("%", "%%"))  # configparser's escape
    return config


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
