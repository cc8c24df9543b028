from __future__ import annotations

from pathlib import Path

import pytest

from tests import make_tables
from tests.make_tables import AS_OF
from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.serving.online import nearest_ids

KNOWN = ["c-00917", "c-00918", "c-00927", "C-1", "13085", "007", "Anna", "北京一店", "tomorrow"]


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        ("c-00916", ["c-00917", "c-00918", "c-00927"]),  # one, one and two characters apart
        (" C-00917 ", ["c-00917", "c-00918", "c-00927"]),  # none after blanks and case, one, one
        ("917", ["c-00917"]),  # its end
        ("13085.0", ["13085"]),  # as a spreadsheet or pandas writes a whole number
        ("7", ["007", "c-00917", "c-00927"]),
        ("anna", ["Anna"]),
        ("北京二店", ["北京一店"]),
        ("prospct-9", ["prospect-9"]),  # of the customers table
        ("tomorow", []),  # its first order is not known yet
        ("something else", []),
        ("'; DROP TABLE x; --", []),
        ("", []),
    ],
)
def test_an_unknown_id_finds_those_that_are_spelled_alike(tmp_path: Path, given: str, nearest: list[str]) -> None:
    days = ["2022-01-05", *["2024-02-05"] * (len(KNOWN) - 2), AS_OF]
    rows = "".join(f"{each},{day},5.0\n" for each, day in zip(KNOWN, days, strict=True))
    orders = make_tables.write_text(tmp_path, f"customer_id,ordered_at,amount\n{rows}", "orders.csv")
    people = make_tables.write_text(tmp_path, "customer_id,x\nprospect-9,1\n", "people.csv")
    with DuckDBEngine(threads=1) as engine:
        read = reading.read(engine, reading.Sources(orders, people), AS_OF)
        assert nearest_ids.find(engine, read, given) == nearest
