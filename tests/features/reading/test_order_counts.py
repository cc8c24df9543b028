"""Without amounts, every order counts one: a customer's rows of a day are one order."""

from __future__ import annotations

import datetime
import pathlib
from decimal import Decimal

import pytest

from tests import make_tables, read_tables
from tiercast.contract import errors
from tiercast.features import schema
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.features.reading import Sources, read
from tiercast.features.spec import FeatureSpec

DAY = datetime.date(2024, 1, 7)
ROWS = """customer_id,ordered_at,category
a,2024-01-03 09:00:00,tea
a,2024-01-03 18:00:00,cake
a,2024-01-05,tea
b,2024-01-03,tea
b,2024-01-03,tea
"""


def per_day(rows: list[dict[str, object]]) -> dict[tuple[object, object], list[Decimal]]:
    found: dict[tuple[object, object], list[Decimal]] = {}
    for row in rows:
        found.setdefault((row["customer_id"], str(row["ordered_on"])), []).append(Decimal(str(row["money"])))
    return {key: sorted(values) for key, values in found.items()}


def test_the_rows_of_a_customer_and_day_add_up_to_one_order(tmp_path: pathlib.Path) -> None:
    source = make_tables.write_text(tmp_path, ROWS)
    rows = read_tables.rows(source, counts_orders=True, as_of=DAY)
    assert per_day(rows) == {("a", "2024-01-03"): [0, 1], ("a", "2024-01-05"): [1], ("b", "2024-01-03"): [0, 1]}
    assert all(row["money"] == row["amount"] == row["order_count"] for row in rows)
    assert sorted(row["category"] for row in rows) == ["cake", "tea", "tea", "tea", "tea"]


def test_an_amount_that_is_there_is_not_looked_at(tmp_path: pathlib.Path) -> None:
    text = "customer_id,ordered_at,amount,margin\na,2024-01-03,nothing,x\na,2024-01-04,-5,2\n"
    rows = read_tables.rows(make_tables.write_text(tmp_path, text), counts_orders=True, as_of=DAY)
    assert [row["money"] for row in rows] == [1, 1]
    assert "margin" not in rows[0]


def test_duplicates_are_dropped_before_orders_are_counted(tmp_path: pathlib.Path) -> None:
    rows = read_tables.rows(make_tables.write_text(tmp_path, ROWS), counts_orders=True, as_of=DAY, duplicates="drop")
    assert per_day(rows)["b", "2024-01-03"] == [1]


def test_without_the_option_a_missing_amount_is_still_refused(tmp_path: pathlib.Path) -> None:
    read_tables.refusal(errors.MissingColumn, make_tables.write_text(tmp_path, ROWS), DAY)


@pytest.mark.parametrize("is_counted", [True, False])
def test_a_bundle_of_orders_reads_no_money_and_a_bundle_of_money_no_orders(
    tmp_path: pathlib.Path, is_counted: bool
) -> None:
    text = ROWS.replace("category", "amount").replace("tea", "3").replace("cake", "4")
    source = make_tables.write_text(tmp_path, text)
    spec = FeatureSpec(windows=(30,), columns=("order_count",) if is_counted else ())
    with DuckDBEngine(threads=1) as engine:
        tables = read(engine, Sources(source, counts_orders=not is_counted), DAY).tables
        with pytest.raises(errors.BundleRefused, match="--amount none"):
            schema.require(spec, tables)
        trained_on = Sources(source).trained_on(spec)
        schema.require(spec, read(engine, trained_on, DAY).tables)
