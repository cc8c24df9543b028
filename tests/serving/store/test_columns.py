"""A generation keeps the columns it was published with, and stays readable when the contract gets another one."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.engine import Connection, Engine

from tests.serving.store import drawn_scores
from tests.serving.store.drawn_scores import AUGUST, JULY, JUNE
from tiercast.contract import errors
from tiercast.serving.store import database, generations, migrations, publish, queries, search, tables
from tiercast.serving.store.filters import Filters
from tiercast.serving.store.keyset import Sort

ROOT = Path(__file__).parents[3]
NEXT_VERSION = """
import sys
from tiercast.contract import scores

new = scores.ScoreColumn("p_return", "double", "how likely the next order is returned", "probability")
scores.SCORES = (*scores.SCORES, new)
scores.NAMES = (*scores.NAMES, new.name)

import datetime as dt, json
from pathlib import Path
from tests.serving.store import drawn_scores
from tiercast.serving.store import database, generations, publish, queries, search
from tiercast.serving.store.filters import Filters
from tiercast.serving.store.keyset import Sort

url, folder = sys.argv[1:]
store = database.open(url)
def facts():
    generation = generations.current(store)
    page = search.search(store, Filters(tiers=("A", "B")), Sort("value", is_descending=True), limit=5)
    with search.stream(store) as export:
        columns = [batch.to_pydict() for batch in export.batches]
    return {
        "as_of": str(generation.as_of),
        "looked_up": queries.lookup(store, ["c-0001"]).rows[0]["p_return"],
        "values": [row["value"] for row in page.rows],
        "p_return": [row["p_return"] for row in page.rows],
        "exported": sorted({number for part in columns for number in part["p_return"]}, key=str),
        "n_exported": sum(len(part["customer_id"]) for part in columns),
        "history": [step.tier for step in queries.history(store, "c-0001")],
    }
old = facts()
path = drawn_scores.write(Path(folder) / "july.parquet", seed=2, as_of=dt.date(2024, 7, 1), p_return=[0.25] * 300)
publish.publish(store, path)
new = facts()
moved = search.count(store, Filters(moved=("up", "down"), moved_since=dt.date(2024, 6, 1)))
generations.rollback(store)
print(json.dumps({"old": old, "new": new, "moved": moved, "back": facts()}, default=str))
"""


def without(store: Engine, columns: tuple[str, ...]) -> None:
    """Make the newest generation one of a version that did not have these columns."""
    generation = generations.ready(store)[0]
    table = tables.scores_table(generation.id)
    kept = [name for name in generation.columns if name not in columns]
    with database.write_transaction(store) as connection:
        for index in table.indexes:
            if {column.name for column in index.columns} & set(columns):
                index.drop(connection, checkfirst=True)
        for name in columns:
            connection.exec_driver_sql(f"ALTER TABLE scores_{generation.id} DROP COLUMN {name}")
        connection.execute(tables.generations.update().values(columns=kept))


def test_the_next_version_with_one_more_column_reads_exports_and_rolls_back_to_the_generations_of_this_one(
    url: str, tmp_path: Path
) -> None:
    store = database.open(url, create=True)
    publish.publish(store, drawn_scores.write(tmp_path / "june.parquet", as_of=JUNE))
    page = search.search(store, Filters(tiers=("A", "B")), Sort("value", is_descending=True), limit=5)
    tiers = [step.tier for step in queries.history(store, "c-0001")]
    store.dispose()
    done = subprocess.run(
        [sys.executable, "-c", NEXT_VERSION, url, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["old"] == found["back"]
    assert found["old"] == {
        "as_of": "2024-06-01", "looked_up": None, "values": [row["value"] for row in page.rows],
        "p_return": [None] * 5, "exported": [None], "n_exported": 300, "history": tiers,
    }  # fmt: skip
    new = found["new"]
    assert (new["looked_up"], new["p_return"], new["exported"]) == (0.25, [0.25] * 5, [0.25])
    assert new["history"][1:] == tiers
    assert found["moved"] > 0


def test_this_version_reads_what_the_next_one_published(store: Engine, tmp_path: Path) -> None:
    """A rollback of the software: the column that it does not know is left out."""
    publish.publish(store, drawn_scores.write(tmp_path / "june.parquet"))
    before = queries.lookup(store, ["c-0001"]).rows
    with database.write_transaction(store) as connection:
        connection.exec_driver_sql("ALTER TABLE scores_1 ADD COLUMN p_return FLOAT")
        connection.execute(tables.generations.update().values(columns=[*tables.COLUMNS, "p_return"]))
    assert queries.lookup(store, ["c-0001"]).rows == before


@pytest.mark.parametrize("missing", [("disagreement", "reason_3"), ("value_at_risk",), ("p_order", "clv")])
def test_a_column_that_a_generation_does_not_have_is_null_in_lookups_filters_sorts_and_exports(
    store: Engine, tmp_path: Path, missing: tuple[str, ...]
) -> None:
    publish.publish(store, drawn_scores.write(tmp_path / "june.parquet"))
    with search.stream(store) as export:
        whole = [row for batch in export.batches for row in batch.to_pylist()]
    without(store, missing)
    nulled = {name: None for name in missing if name in whole[0]}
    with search.stream(store) as export:
        rows = [row for batch in export.batches for row in batch.to_pylist()]
    expected = [{**row, **nulled} for row in whole]
    if "reason_3" in missing:
        expected = [{**row, "reasons": row["reasons"][:2]} for row in expected]
    assert rows == expected
    (looked_up,) = queries.lookup(store, ["c-0001"]).rows
    assert {looked_up[name] for name in missing if name in looked_up} == {None}
    assert search.count(store, Filters(disagreement=True)) == sum(row["disagreement"] is True for row in expected)
    by_risk = search.search(store, Filters(value_at_risk=(1.0, None)), Sort("value_at_risk", is_descending=True))
    assert bool(by_risk.rows) is ("value_at_risk" not in missing)
    everyone = search.search(store, sort=Sort("value_at_risk", is_descending=True), limit=1000)
    assert len(everyone.rows) == len(whole)


OLD_ROWS = (("anna", "A", 20.0, 0.1), ("ben", "B", 30.0, 0.8), ("carl", "F", None, None))


@pytest.fixture
def old_store(url: str) -> Engine:
    """A store as the version before made it: revision 0001, one generation of three customers, served."""
    store = database.open(url, create=True)
    with database.write_transaction(store) as connection:
        config = migrations._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        _publish_by_hand(connection)
    return store


def _publish_by_hand(connection: Connection) -> None:
    old = sa.MetaData()
    old.reflect(connection)
    shape, of_generations, pointer = (old.tables[name] for name in ("scores", "generations", "pointer"))
    rows = sa.Table("scores_1", sa.MetaData(), *(column._copy() for column in shape.columns), sqlite_with_rowid=False)
    rows.create(connection)
    facts: dict[str, Any] = {
        "state": "ready", "as_of": JUNE, "model": "tiercast/1", "currency": "GBP", "churn_days": 90,
        "value_days": 365, "n_customers": 3, "value_total": 50.0, "sha256": "0" * 64, "notes": {},
        "started_at": dt.datetime(2024, 6, 1, tzinfo=dt.UTC), "published_at": dt.datetime(2024, 6, 1, tzinfo=dt.UTC),
    }  # fmt: skip
    connection.execute(of_generations.insert().values(facts))
    connection.execute(pointer.update().values(generation_id=1))
    for name, tier, value, p_churn in OLD_ROWS:
        risk = None if value is None or p_churn is None else value * p_churn
        row = {"customer_id": name, "tier": tier, "raw_tier": tier, "status": "scored", "action": "check_in"}
        connection.execute(rows.insert().values(**row, value=value, p_churn=p_churn, value_at_risk=risk))


def test_a_store_of_the_version_before_is_upgraded_in_place_and_everything_in_it_stays_readable(
    old_store: Engine, tmp_path: Path
) -> None:
    with pytest.raises(errors.StoreRefused, match="older schema 0001") as refused:
        migrations.require(old_store)
    assert "--upgrade" in refused.value.hint
    migrations.upgrade(old_store)
    migrations.require(old_store)
    found = queries.lookup(old_store, ["anna", "nobody"])
    assert (found.generation.as_of, found.rows[0]["value"], found.unknown) == (JUNE, 20.0, ["nobody"])
    by_value = search.search(old_store, sort=Sort("value", is_descending=True))
    assert [row["customer_id"] for row in by_value.rows] == ["ben", "anna", "carl"]
    with search.stream(old_store, Filters(tiers=("F",))) as export:
        assert [row["customer_id"] for batch in export.batches for row in batch.to_pylist()] == ["carl"]
    publish.publish(old_store, drawn_scores.write(tmp_path / "july.parquet", as_of=JULY))
    matrix = queries.grid(old_store).moves
    assert matrix is not None
    assert [step.tier for step in queries.history(old_store, "anna")] == [None, "A"]
    assert generations.rollback(old_store).as_of == JUNE
    assert queries.lookup(old_store, ["ben"]).rows[0]["tier"] == "B"
    publish.publish(old_store, drawn_scores.write(tmp_path / "august.parquet", as_of=AUGUST), keep=1)
    assert [each.as_of for each in generations.ready(old_store)] == [AUGUST]
    old_store.dispose()
