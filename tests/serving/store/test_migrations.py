"""The migrations lead to the tables that the code knows, on both databases; another schema is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import Engine

from tiercast.contract import errors, scores
from tiercast.serving.store import database, migrations, tables

VERSION = sa.table("alembic_version", sa.column("version_num"))


def test_the_newest_migration_makes_the_tables_that_the_code_knows(store: Engine) -> None:
    migrations.upgrade(store)
    with store.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_upgrading_twice_changes_nothing_and_two_at_once_do_not_meet(store: Engine) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(migrations.upgrade, [store, store]))
    migrations.upgrade(store)
    migrations.require(store)
    with database.read_transaction(store) as connection:
        assert connection.execute(sa.select(tables.pointer.c.one, tables.pointer.c.generation_id)).all() == [(1, None)]


def test_a_database_without_tables_is_refused_naming_the_command(store: Engine) -> None:
    with pytest.raises(errors.StoreRefused, match="no store") as refused:
        migrations.require(store)
    assert "tiercast publish" in refused.value.hint


@pytest.mark.parametrize("query", [migrations.require, migrations.prepare, migrations.upgrade])
def test_a_store_of_a_newer_version_is_refused_and_not_touched(store: Engine, query: object) -> None:
    migrations.upgrade(store)
    with database.write_transaction(store) as connection:
        connection.execute(VERSION.update().values(version_num="9999"))
    assert callable(query)
    with pytest.raises(errors.StoreRefused, match="9999"):
        query(store)


def test_a_store_of_an_older_version_is_refused_naming_the_upgrade(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrations.upgrade(store)
    script = migrations._script()
    monkeypatch.setattr(script, "get_current_head", lambda: "0099")
    monkeypatch.setattr(migrations, "_script", lambda: script)
    with pytest.raises(errors.StoreRefused, match="older") as refused:
        migrations.require(store)
    assert "--upgrade" in refused.value.hint


def test_the_store_keeps_every_column_of_the_contract() -> None:
    kept = {*tables.COLUMNS, *tables.ONCE} - {*tables.REASONS, "value_at_risk", "previous_tier", "move"}
    assert kept | {"reasons"} == set(scores.NAMES)
