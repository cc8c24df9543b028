"""A store is opened by its URL, says what is wrong without its password, and shows a reader one state."""

from __future__ import annotations

import concurrent.futures
import datetime as dt
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from tiercast.contract import errors
from tiercast.serving.store import database as db
from tiercast.serving.store import migrations, tables

SECRET = "hunter2"
NOW = dt.datetime(2024, 6, 1, 14, 30, 0, 123456, tzinfo=dt.timezone(dt.timedelta(hours=2)))


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:hunter2@host/db",
        "sqlite://",
        "sqlite:///:memory:",
        "hello",
        "postgresql//u:hunter2@host/db",
        "postgresql://u:hunter2@127.0.0.1:1/db",
        "postgresql://u:hunter2@127.0.0.1:1/db?password=hunter2",
        "postgresql://u:hunter2@127.0.0.1:port/db",
    ],
)
def test_an_address_that_leads_nowhere_is_refused_in_four_parts_without_its_password(url: str) -> None:
    with pytest.raises(errors.TiercastError) as refused:
        db.open(url)
    assert refused.value.first
    assert refused.value.hint
    assert SECRET not in str(refused.value)
    assert SECRET not in str(refused.value.__cause__ or "")


def test_a_password_that_postgresql_does_not_accept_stays_unsaid(database: str) -> None:
    wrong = sa.make_url(database).set(username="nobody", password=SECRET).render_as_string(hide_password=False)
    with pytest.raises(errors.StoreUnavailable) as refused:
        db.open(wrong)
    assert SECRET not in str(refused.value)


def test_a_store_that_is_not_there_is_made_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "scores.db"
    with pytest.raises(errors.SourceUnreadable, match="there is no store"):
        db.open(str(path))
    assert not path.exists()
    db.open(str(path), create=True).dispose()
    assert path.exists()


def test_a_file_that_is_no_database_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("shopping list, " * 50)
    with pytest.raises(errors.BadInput, match="no SQLite database"):
        db.open(str(path))
    assert path.read_text().startswith("shopping list")


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(errors.CannotWrite, match="folder"):
        db.open(str(tmp_path / "gone" / "scores.db"), create=True)


def test_a_reader_keeps_seeing_the_state_it_began_with_while_somebody_writes(store: Engine) -> None:
    migrations.prepare(store)
    count = sa.select(sa.func.count()).select_from(tables.keys)
    with db.read_transaction(store) as reader:
        before = reader.scalar(count)
        with db.write_transaction(store) as writer:
            writer.execute(
                tables.keys.insert().values(key_id="k", name="n", secret_hash="h", roles="read", created_at=NOW)
            )
        assert (before, reader.scalar(count)) == (0, 0)
    with db.read_transaction(store) as reader:
        assert reader.scalar(count) == 1


def test_a_moment_comes_back_in_utc_as_it_was_stored(store: Engine) -> None:
    migrations.prepare(store)
    with db.write_transaction(store) as writer:
        writer.execute(tables.keys.insert().values(key_id="k", name="n", secret_hash="h", roles="read", created_at=NOW))
        (found,) = writer.scalars(sa.select(tables.keys.c.created_at)).all()
    assert found == NOW
    assert str(found.tzinfo) == "UTC"


def test_what_fails_half_way_leaves_nothing_written(store: Engine) -> None:
    migrations.prepare(store)
    row = {"key_id": "k", "name": "n", "secret_hash": "h", "roles": "read", "created_at": NOW}

    def fail() -> None:
        with db.write_transaction(store) as writer:
            writer.execute(tables.keys.insert().values(row))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with db.read_transaction(store) as reader:
        assert reader.execute(sa.select(tables.keys)).all() == []


def test_a_question_is_asked_again_when_its_table_was_pruned_meanwhile(database: str) -> None:
    engine, asked = db.open(database), []

    def query(connection: sa.Connection) -> str:
        asked.append(connection)
        if len(asked) == 1:
            connection.execute(sa.select(tables.scores_table(99)))
        return "answer"

    assert db.run_query(engine, query) == "answer"
    assert len(asked) == 2
    engine.dispose()


def test_a_quick_question_does_not_wait_for_a_long_one(url: str) -> None:
    engine, has_begun, is_over = db.open(url, create=True), threading.Event(), threading.Event()

    def slowly(_: sa.Connection) -> bool:
        has_begun.set()
        return is_over.wait(30)

    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        long = threads.submit(db.run_query, engine, slowly, is_long=True)
        assert has_begun.wait(30)
        quick = threads.submit(db.run_query, engine, lambda connection: connection.scalar(sa.select(1)))
        assert quick.result(timeout=30) == 1
        assert not long.done()
        is_over.set()
        assert long.result(timeout=30)
    engine.dispose()
