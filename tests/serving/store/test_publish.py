"""A score file becomes the served generation whole or not at all; what is no score file is refused."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa
from pyarrow import parquet
from sqlalchemy.engine import Engine

from tests import score_files
from tests.serving.store import drawn_scores
from tests.serving.store.drawn_scores import AUGUST, JULY, JUNE
from tiercast.contract import errors
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.serving.batch import tier_moves
from tiercast.serving.store import database, generations, publish, publish_lock, queries, search, tables


@pytest.fixture
def june(tmp_path: Path) -> str:
    return drawn_scores.write(tmp_path / "june.parquet")


@pytest.fixture
def july(tmp_path: Path) -> str:
    """Thirty of June's customers are gone, thirty are new."""
    return drawn_scores.write(tmp_path / "july.parquet", seed=2, as_of=JULY, first=30)


def left(store: Engine) -> set[str]:
    return {name for name in sa.inspect(store).get_table_names() if name.startswith("scores_")}


def test_every_customer_comes_back_as_the_file_has_them(
    store: Engine, june: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "SLICE", 64)
    done = publish.publish(store, june)
    assert (done.is_new, done.generation.n_customers, done.generation.as_of) == (True, 300, JUNE)
    assert done.generation.model == "tiercast/1/abc"
    with search.stream(store) as export:
        found = pa.Table.from_batches(export.batches, export.schema)
    assert found.to_pylist() == drawn_scores.read(june)


def test_the_same_file_again_changes_nothing(store: Engine, june: str) -> None:
    first = publish.publish(store, june)
    again = publish.publish(store, june)
    assert (again.is_new, again.generation) == (False, first.generation)
    assert [each.id for each in generations.ready(store)] == [first.generation.id]


def test_a_folder_is_another_one_when_any_of_its_parts_is(store: Engine, tmp_path: Path) -> None:
    """As Spark leaves a day behind: several parts, of which one may change."""
    folder = tmp_path / "day=2024-06-01"
    folder.mkdir()
    kept = drawn_scores.write(folder / "part-0.parquet", model=["tiercast/1/abc"] * 300)
    other = folder / "part-1.parquet"
    drawn_scores.write(other, n=40, seed=2, first=300, model=["tiercast/1/abc"] * 40)
    publish.publish(store, str(folder))
    drawn_scores.write(other, n=40, seed=3, first=300, model=["tiercast/1/abc"] * 40)
    done = publish.publish(store, str(folder))
    assert (done.is_new, done.generation.n_customers) == (True, 340)
    with search.stream(store) as export:
        found = pa.Table.from_batches(export.batches, export.schema).to_pylist()
    assert found == sorted(
        [*drawn_scores.read(kept), *drawn_scores.read(str(other))], key=lambda row: row["customer_id"].encode()
    )


def test_moves_between_generations_are_those_that_comparing_the_files_finds(
    store: Engine, june: str, july: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "SLICE", 50)
    publish.publish(store, june)
    assert queries.grid(store).moves is None
    publish.publish(store, july)
    with DuckDBEngine(threads=1) as engine:
        theirs = tier_moves.compare(engine, june, july).matrix
    ours = queries.grid(store).moves
    assert ours is not None
    assert ours.customers.tolist() == theirs.customers.tolist()
    np.testing.assert_allclose(ours.before, theirs.before)
    np.testing.assert_allclose(ours.after, theirs.after)
    old, new = ({row["customer_id"]: row["tier"] for row in drawn_scores.read(path)} for path in (june, july))
    with database.read_transaction(store) as connection:
        table = tables.scores_table(generations.current_in(connection).id)
        found = connection.execute(sa.select(table.c.customer_id, table.c.previous_tier)).all()
    assert {row.customer_id: row.previous_tier for row in found} == {each: old.get(each) for each in new}


def test_totals_are_those_of_the_file(store: Engine, june: str) -> None:
    publish.publish(store, june)
    found = queries.grid(store)
    rows = [row for row in drawn_scores.read(june) if row["tier"] == "B"]
    (tier_b,) = [row for row in found.tiers if row.tier == "B"]
    assert tier_b.customers == len(rows)
    assert tier_b.value_total == pytest.approx(sum(row["value"] for row in rows))
    assert tier_b.value_at_risk == pytest.approx(sum(row["value"] * row["p_churn"] for row in rows))
    assert found.n_borderline == sum(bool(row["is_borderline"]) for row in drawn_scores.read(june))
    assert found.generation.value_total == pytest.approx(sum(row["value"] or 0.0 for row in drawn_scores.read(june)))


def test_scores_over_other_windows_are_served_but_not_compared(store: Engine, june: str, tmp_path: Path) -> None:
    publish.publish(store, june)
    publish.publish(store, drawn_scores.write(tmp_path / "b.parquet", as_of=JULY, churn_days=30))
    assert queries.grid(store).moves is None
    assert queries.lookup(store, ["c-0001"]).rows[0]["previous_tier"] is None


def test_an_earlier_day_is_refused_unless_forced(store: Engine, june: str, july: str) -> None:
    publish.publish(store, july)
    with pytest.raises(errors.BadInput, match="earlier day"):
        publish.publish(store, june)
    assert publish.publish(store, june, force=True).generation.as_of == JUNE


def test_only_the_newest_generations_stay(store: Engine, june: str, july: str, tmp_path: Path) -> None:
    august = drawn_scores.write(tmp_path / "august.parquet", seed=3, as_of=AUGUST)
    first, second = (publish.publish(store, path).generation.id for path in (june, july))
    last = publish.publish(store, august, keep=2)
    assert last.pruned == [first]
    assert [each.id for each in generations.ready(store)] == [last.generation.id, second]
    assert left(store) == {f"scores_{second}", f"scores_{last.generation.id}"}


def test_a_generation_that_was_gone_back_to_is_never_pruned(
    store: Engine, june: str, july: str, tmp_path: Path
) -> None:
    first = publish.publish(store, june).generation.id
    publish.publish(store, july)
    assert generations.rollback(store).id == first
    assert generations.prune(store, keep=1) == []
    assert generations.current(store).id == first


def test_going_back_serves_the_earlier_generation_and_forward_again_the_later(
    store: Engine, june: str, july: str
) -> None:
    first, second = (publish.publish(store, path).generation.id for path in (june, july))
    assert generations.rollback(store).id == first
    assert queries.lookup(store, ["c-0001"]).generation.as_of == JUNE
    assert generations.rollback(store, to=second).id == second
    for wrong in (99, 0):
        with pytest.raises(errors.GenerationGone):
            generations.rollback(store, to=wrong)
    generations.rollback(store, to=first)
    with pytest.raises(errors.GenerationGone, match="no generation before"):
        generations.rollback(store)


def test_who_comes_second_is_refused_while_somebody_publishes(url: str, store: Engine, june: str) -> None:
    other = database.open(url, create=True)
    with publish_lock.held(other), pytest.raises(errors.StoreBusy):
        publish.publish(store, june)
    assert publish.publish(store, june).is_new
    other.dispose()


def test_a_publish_that_fails_leaves_what_was_served_and_nothing_of_itself(store: Engine, june: str, july: str) -> None:
    served = publish.publish(store, june).generation

    def stop(step: str) -> None:
        if step == "switching":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publish.publish(store, july, on_step=stop)
    assert generations.current(store) == served
    assert left(store) == {f"scores_{served.id}"}


def test_readers_see_the_old_generation_or_the_new_one_while_it_is_published(
    store: Engine, june: str, july: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "SLICE", 8)
    publish.publish(store, june)
    files = {JUNE: drawn_scores.read(june), JULY: drawn_scores.read(july)}
    expected = {day: {row["customer_id"]: row["value"] for row in rows} for day, rows in files.items()}
    asked = sorted(expected[JULY])[100:200]
    over, wrong, seen = threading.Event(), [], set()

    def look() -> None:
        while not over.is_set():
            found = queries.lookup(store, asked)
            day = found.generation.as_of
            seen.add(day)
            if any(row["value"] != expected[day][row["customer_id"]] or row["as_of"] != day for row in found.rows):
                wrong.append(found)

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    publish.publish(store, july, keep=1)
    queries.lookup(store, asked)
    over.set()
    for reader in readers:
        reader.join()
    assert not wrong
    assert JUNE in seen


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "twice": ({"customer_id": ["a", "b", "a"]}, "more than once"),
    "another tier": ({"tier": ["A", "Z", "B"]}, "none of A to F"),
    "two models": ({"model": ["m", "n", "m"]}, "model is not the same"),
    "four reasons": ({"reasons": [[], ["a", "b", "c", "d"], []]}, "4 reasons"),
    "NUL": ({"customer_id": ["a", "b\0", "c"]}, "NUL"),
    "nameless": ({"customer_id": ["a", None, "c"]}, "customer_id is missing"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_no_score_file_has_is_refused_and_leaves_nothing(store: Engine, tmp_path: Path, why: str) -> None:
    columns, words = REFUSED[why]
    given: dict[str, Any] = {"customer_id": ["a", "b", "c"], "tier": ["A", "B", "C"], "value": [1.0, 2.0, 3.0]}
    path = score_files.write(tmp_path / "s.parquet", as_of=JUNE, **(given | columns))
    with pytest.raises(errors.BadInput, match=words):
        publish.publish(store, path)
    assert left(store) == set()
    assert generations.ready(store) == []


def test_scores_of_two_days_in_one_file_are_refused(store: Engine, june: str) -> None:
    table = parquet.read_table(june)
    days = pa.array([JUNE, JULY] * (table.num_rows // 2), pa.date32())
    parquet.write_table(table.set_column(1, table.schema.field("as_of"), days), june)
    with pytest.raises(errors.BadInput, match="as_of is not the same"):
        publish.publish(store, june)


def test_other_files_are_refused(store: Engine, june: str, tmp_path: Path) -> None:
    table = parquet.read_table(june)
    newer = score_files.write(tmp_path / "newer.parquet", ["a"], ["A"], [1.0])
    schema = parquet.read_schema(newer)
    raised = {key: value.replace(b'"format": 2', b'"format": 99') for key, value in schema.metadata.items()}
    parquet.write_table(parquet.read_table(newer).replace_schema_metadata(raised), newer)
    parquet.write_table(pa.table({"customer_id": ["a"]}), tmp_path / "other.parquet")
    parquet.write_table(table.drop_columns(["value"]), tmp_path / "less.parquet")
    parquet.write_table(table.slice(0, 0), tmp_path / "empty.parquet")
    (tmp_path / "torn.parquet").write_bytes(Path(june).read_bytes()[:500])
    refused = {"newer": "format 99", "other": "nothing of being scores", "less": "lack the column value"}
    for name, words in (refused | {"empty": "nobody", "torn": "cannot be read"}).items():
        with pytest.raises(errors.BadInput, match=words):
            publish.publish(store, str(tmp_path / f"{name}.parquet"))
    assert generations.ready(store) == []
