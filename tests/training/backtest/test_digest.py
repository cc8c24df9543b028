from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from tests import make_tables
from tiercast.features import reading
from tiercast.features.engines.duckdb import Engine
from tiercast.training.backtest import digest

DAY = dt.date(2024, 2, 10)
PEOPLE = {"customer_id": ["c-1", "c-2", "c-3"], "joined_on": ["2023-01-01"] * 3, "city": ["Rome", "Oslo", "Rome"]}
MET = {"customer_id": ["c-1", "c-2"], "occurred_at": ["2024-01-03", "2024-02-20"], "kind": ["visit", "visit"]}


def digest_of_rows(
    folder: Path, until: dt.date = DAY, people: dict[str, Any] = PEOPLE, met: dict[str, Any] = MET, **changed: Any
) -> str:
    """The digest of the six purchase lines of `make_tables` and of two more tables, with something changed."""
    table = make_tables.transactions(**changed)
    sources = reading.Sources(
        make_tables.write(folder, table),
        make_tables.write(folder, people, "people.csv"),
        make_tables.write(folder, met, "met.csv"),
    )
    with Engine(threads=1) as engine:
        return digest.rows(engine, reading.read(engine, sources, make_tables.AS_OF).tables).until(until)


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    before = digest_of_rows(tmp_path)
    table = make_tables.transactions().take([5, 3, 1, 0, 2, 4])
    assert digest_of_rows(tmp_path, **{name: table[name] for name in table.column_names}) == before


def test_rows_on_or_after_the_day_do_not_matter(tmp_path: Path) -> None:
    """The lines of 10 and 20 February, and the visit of 20 February."""
    later: dict[str, Any] = {"amount": [10.0, 999.0, 5.5, -5.5, 0.0, 1.0]}
    met: dict[str, Any] = MET | {"customer_id": ["c-1", "c-3"]}
    assert digest_of_rows(tmp_path, met=met, **later) == digest_of_rows(tmp_path)
    assert digest_of_rows(tmp_path, DAY + dt.timedelta(1), **later) != digest_of_rows(tmp_path, DAY + dt.timedelta(1))


@pytest.mark.parametrize(
    "changed",
    [
        {"amount": [10.01, 20.0, 5.5, -5.5, 0.0, 99.99]},
        {"customer_id": ["c-2", "c-1", "c-1", "c-2", "c-3", "c-3"]},
        {"people": PEOPLE | {"city": ["Rome", "Rome", "Rome"]}},
        {"met": MET | {"kind": ["support", "visit"]}},
    ],
    ids=["an amount", "who bought it", "where somebody lives", "a contact"],
)
def test_a_changed_cell_changes_the_digest(tmp_path: Path, changed: dict[str, Any]) -> None:
    assert digest_of_rows(tmp_path, **changed) != digest_of_rows(tmp_path)
