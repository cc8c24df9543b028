"""A database that goes away is said to be away, and one that came back is asked as if it had never gone."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from tests import postgres_server, score_files
from tiercast.contract import errors
from tiercast.serving.store import database, generations, publish, publish_lock, queries, tables
from tiercast.serving.store.queries import LookupResult

IDS = ["anna", "ben"]


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    """A server of this module's own, since it is stopped."""
    with tempfile.TemporaryDirectory(prefix="tiercast-restarted-") as folder:
        started = postgres_server.of_our_own(Path(folder))
        yield started
        started.cleanup()


@pytest.fixture
def store(server: Any, tmp_path: Path) -> Iterator[Engine]:
    with postgres_server.database(server.get_uri()) as url:
        engine = database.open(url)
        publish.publish(engine, score_files.write(tmp_path / "scores.parquet", IDS, ["A", "B"], [2.0, 1.0]))
        yield engine
        engine.dispose()


def crowd(store: Engine, n: int = 4) -> LookupResult:
    """Fill the pool with connections that have been used; an answer."""
    held = [store.connect() for _ in range(n)]
    for each in held:
        each.scalar(sa.select(1))
        each.close()
    return queries.lookup(store, IDS)


def restart(server: Any) -> None:
    server.stop()
    server.start()


def held(store: Engine) -> bool:
    with publish_lock.held(store):
        return True


def written(store: Engine) -> None:
    with database.write_transaction(store) as connection:
        connection.execute(tables.keys.delete())


@pytest.mark.parametrize(
    "query", [lambda store: queries.lookup(store, IDS), generations.current, queries.grid, written, held],
    ids=["a lookup", "the generation", "the grid", "a write", "the lock"],
)  # fmt: skip
def test_a_server_that_was_restarted_between_two_questions_costs_no_error(
    server: Any, store: Engine, query: Callable[[Engine], object]
) -> None:
    before = crowd(store)
    restart(server)
    query(store)
    assert [queries.lookup(store, IDS) for _ in range(5)] == [before] * 5


def test_connections_that_somebody_else_closed_cost_no_error_either(store: Engine, server: Any) -> None:
    before = crowd(store)
    with psycopg.connect(store.url.set(drivername="postgresql").render_as_string(), autocommit=True) as other:
        ended = other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        ).fetchall()
    assert ended == [(True,)] * 4
    assert [queries.lookup(store, IDS) for _ in range(5)] == [before] * 5


def test_a_server_that_is_down_is_said_to_be_and_the_first_question_after_it_is_answered(
    server: Any, store: Engine
) -> None:
    before = crowd(store)
    server.stop()
    for query in (lambda: queries.lookup(store, IDS), lambda: queries.grid(store), lambda: written(store)):
        for _ in range(2):
            with pytest.raises(errors.StoreUnavailable, match="the store does not answer") as refused:
                query()
            assert refused.value.hint
    server.start()
    assert queries.lookup(store, IDS) == before


def test_a_question_that_ends_every_connection_is_asked_twice_and_no_more(store: Engine) -> None:
    asked: list[sa.Connection] = []

    def query(connection: sa.Connection) -> None:
        asked.append(connection)
        connection.scalar(sa.select(sa.func.pg_terminate_backend(sa.func.pg_backend_pid())))

    with pytest.raises(errors.StoreUnavailable, match="the store does not answer"):
        database.run_query(store, query)
    assert len(asked) == 2
