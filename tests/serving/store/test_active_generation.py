"""A lookup asks one statement, of the generation that is served at that moment and of no other."""

from __future__ import annotations

import concurrent.futures
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests import score_files
from tiercast.serving.store import active_generation, generations, publish, queries, tables
from tiercast.serving.store import database as db

PEOPLE = ["anna", "ben"]


def published(store: Engine, folder: Path, number: float, keep: int = 13) -> int:
    path = score_files.write(folder / f"{number}.parquet", PEOPLE, ["A", "B"], [number] * 2)
    return publish.publish(store, path, keep=keep).generation.id


def looked_up(store: Engine, *ids: str) -> tuple[int, list[float], list[str]]:
    found = queries.lookup(store, ids or PEOPLE)
    assert found.generation.is_current
    return found.generation.id, [row["value"] for row in found.rows], found.unknown


@contextlib.contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """What is sent to the database inside the block."""
    sent: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def test_postgresql_is_sent_one_statement_for_a_lookup_and_the_pointer_is_read_once_after_a_switch(
    database: str, tmp_path: Path
) -> None:
    store, other = db.open(database), db.open(database)
    first = published(other, tmp_path, 1.0)
    assert looked_up(store) == (first, [1.0, 1.0], [])
    with statements(store) as sent:
        assert looked_up(store) == (first, [1.0, 1.0], [])
        assert looked_up(store, "nobody") == (first, [], ["nobody"])
        assert looked_up(store, "ben", "nobody") == (first, [1.0], ["nobody"])
    assert len(sent) == 3
    second = published(other, tmp_path, 2.0)
    with statements(store) as sent:
        assert looked_up(store) == (second, [2.0, 2.0], [])
        assert looked_up(store) == (second, [2.0, 2.0], [])
    assert len(sent) == 5  # refused, the pointer, its generation, the rows; the rows
    for each in (store, other):
        each.dispose()


def test_every_switch_is_followed_also_one_back_and_one_to_where_it_was_before(store: Engine, tmp_path: Path) -> None:
    first, second = published(store, tmp_path, 1.0), published(store, tmp_path, 2.0)
    assert looked_up(store) == (second, [2.0, 2.0], [])
    generations.rollback(store)
    assert looked_up(store) == (first, [1.0, 1.0], [])
    generations.rollback(store, second)
    assert looked_up(store) == (second, [2.0, 2.0], [])


def test_a_generation_that_was_pruned_since_the_last_lookup_is_no_error(store: Engine, tmp_path: Path) -> None:
    """On each of the connections that remember it."""
    published(store, tmp_path, 1.0)
    together = threading.Barrier(2)

    def query(connection: sa.Connection) -> object:
        found = active_generation.rows(connection, PEOPLE)
        together.wait(30)
        return found

    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        for each in [threads.submit(db.run_query, store, query, is_long=True) for _ in range(2)]:
            each.result()
    for number in (2.0, 3.0):
        third = published(store, tmp_path, number, keep=1)
    assert len(generations.ready(store)) == 1
    for _ in range(4):
        assert looked_up(store) == (third, [3.0, 3.0], [])


def test_a_number_that_stands_for_another_generation_after_a_restore_is_not_taken_for_the_one_seen(
    store: Engine, tmp_path: Path
) -> None:
    """The same number and the same table, but switched to at another time: its facts are read anew."""
    first = published(store, tmp_path, 1.0)
    assert queries.lookup(store, PEOPLE).generation.currency == "GBP"
    with db.write_transaction(store) as connection:
        connection.execute(tables.generations.update().values(model="tiercast/2", currency="EUR"))
        generations.switch_to(connection, first)
    found = queries.lookup(store, PEOPLE)
    assert (found.generation.currency, found.rows[0]["model"]) == ("EUR", "tiercast/2")
