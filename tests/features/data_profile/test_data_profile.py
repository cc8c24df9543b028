"""The profile against pandas on public data, and each finding on a table that has what it looks for."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests import cdnow_table, make_tables
from tiercast.features import data_profile, reading
from tiercast.features.data_profile import Profile
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.features.reading import Sources

AS_OF = dt.date(2024, 7, 1)


def profiled(source: str, as_of: dt.date = AS_OF, **others: Any) -> Profile:
    with DuckDBEngine(threads=1) as engine:
        return data_profile.profile(engine, reading.read(engine, Sources(source, **others), as_of).tables)


def shop(n: int = 600, **columns: list[Any]) -> dict[str, list[Any]]:
    """Purchases over a year, a few each day, by 60 customers; `columns` replace or add some."""
    random = np.random.default_rng(4)
    days = [dt.date(2023, 7, 1) + dt.timedelta(int(day)) for day in np.linspace(0, 365, n)]
    rows: dict[str, list[Any]] = {
        "customer_id": [f"c-{k:02}" for k in random.integers(0, 60, n)],
        "ordered_at": days,
        "amount": [round(float(a), 2) for a in random.gamma(3, 10, n)],
    }
    return rows | columns


def codes(folder: Path, rows: dict[str, list[Any]], as_of: dt.date = AS_OF, **others: Any) -> list[str]:
    found = profiled(make_tables.write(folder, rows), as_of, **others)
    return [finding.code for finding in found.findings]


def test_the_numbers_are_those_of_pandas_on_cdnow(tmp_path: Path) -> None:
    source = str(cdnow_table.write_parquet(tmp_path / "cdnow.parquet"))
    found = profiled(source, dt.date(1998, 7, 1))
    frame = pd.read_parquet(source)
    orders = frame.drop_duplicates(["customer_id", "ordered_at"])
    spent = frame.groupby("customer_id")["amount"].sum()
    counted = found.summary
    assert (counted.rows, counted.orders, counted.customers) == (len(frame), len(orders), 23_570)
    assert counted.amount == pytest.approx(frame["amount"].sum())
    assert counted.median_amount == pytest.approx(frame["amount"].median())
    assert counted.largest_amount == frame["amount"].max()
    assert counted.largest_share_of_orders == orders["customer_id"].value_counts().max() / len(orders)
    assert counted.largest_share_of_amount == pytest.approx(spent.max() / spent.sum())
    months = pd.to_datetime(frame["ordered_at"]).dt.strftime("%Y-%m").value_counts().sort_index()
    assert {month.month: month.rows for month in counted.months} == months.to_dict()
    assert found.findings == ()
    assert counted.example["customer_id"] == "00001"


def test_an_ordinary_shop_has_no_findings(tmp_path: Path) -> None:
    assert codes(tmp_path, shop()) == []


def test_months_without_a_row_are_there(tmp_path: Path) -> None:
    rows = {"customer_id": ["a", "b"], "ordered_at": [dt.date(2023, 11, 5), dt.date(2024, 2, 5)], "amount": [1.0, 2.0]}
    found = profiled(make_tables.write(tmp_path, rows), dt.date(2024, 3, 1)).summary.months
    assert [(month.month, month.rows) for month in found] == [
        ("2023-11", 1), ("2023-12", 0), ("2024-01", 0), ("2024-02", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["NULL", "nan", "#N/A", "0", "Guest", " walk-in "])
def test_a_placeholder_is_no_customer(tmp_path: Path, text: str) -> None:
    rows = shop()
    rows["customer_id"][:50] = [text] * 50
    found = profiled(make_tables.write(tmp_path, rows)).findings
    assert [finding.code for finding in found] == ["placeholder_id"]
    assert f"50 of 600 rows have a customer id that looks like a placeholder (first: {text!r})" in str(found[0])


@pytest.mark.parametrize(("text", "code"), [("5.12E+12", "rounded_id"), ("13085.0", "decimal_id")])
def test_ids_that_a_spreadsheet_wrote_are_named(tmp_path: Path, text: str, code: str) -> None:
    rows = shop()
    rows["customer_id"][3] = text
    assert codes(tmp_path, rows) == [code]


def test_spellings_of_one_id_are_counted(tmp_path: Path) -> None:
    rows = shop()
    rows["customer_id"][:2] = ["Ann@x.org", "ann@x.org "]
    found = profiled(make_tables.write(tmp_path, rows)).findings
    assert [finding.code for finding in found] == ["spelled_differently"]
    assert found[0].text.startswith("1 customer ids differ")


def test_a_customers_table_with_other_ids_is_named(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    base = make_tables.write(tmp_path / "base", {"customer_id": [f"C{k:02}" for k in range(60)]})
    found = profiled(make_tables.write(tmp_path, shop()), customers=base).findings
    assert found[0].text == "60 of 60 customers in the table have no order (first: 'C00')"


def test_an_orders_total_on_each_of_its_lines_is_named(tmp_path: Path) -> None:
    rows = shop()
    doubled = {name: [cell for cell in cells for _ in range(2)] for name, cells in rows.items()}
    doubled["order_id"] = [f"o-{k // 2}" for k in range(1200)]
    assert codes(tmp_path, doubled) == ["repeated_total"]
    doubled["amount"] = [amount + k % 2 for k, amount in enumerate(doubled["amount"])]
    assert codes(tmp_path, doubled) == []


def test_one_customer_who_is_half_of_the_shop_is_named(tmp_path: Path) -> None:
    rows = shop()
    rows["customer_id"][::2] = ["till 1"] * 300
    assert codes(tmp_path, rows) == ["one_customer_orders", "one_customer_spending"]


def test_one_row_per_customer_is_no_table_of_purchases(tmp_path: Path) -> None:
    assert codes(tmp_path, shop(customer_id=[f"c-{k}" for k in range(600)])) == ["one_row_per_customer"]


def test_a_date_far_from_all_others_is_named_with_the_day_to_pass(tmp_path: Path) -> None:
    rows = shop()
    rows["ordered_at"][0] = dt.date(2033, 1, 5)
    found = profiled(make_tables.write(tmp_path, rows), dt.date(2033, 1, 6)).findings
    assert [finding.code for finding in found] == ["late_stray"]
    assert found[0].text.startswith("1 of 600 rows are dated far after all others (first: 2033-01-05;")
    assert found[0].text.endswith("the others end on 2024-06-30)")
    assert "--as-of 2024-07-01" in found[0].hint
    rows["ordered_at"][0] = dt.date(1999, 1, 5)
    assert codes(tmp_path, rows) == ["early_stray"]
    rows["ordered_at"][0] = dt.date(1970, 1, 1)
    assert codes(tmp_path, rows) == ["epoch_date"]


def test_a_pause_is_named_with_its_days(tmp_path: Path) -> None:
    rows = pa.table(shop()).to_pandas()
    days = pd.to_datetime(rows["ordered_at"])
    shut = (days >= "2023-10-01") & (days < "2024-02-01")
    found = profiled(make_tables.write(tmp_path, rows[~shut].to_dict("list"))).findings
    assert [finding.text for finding in found] == ["no orders from 2023-10-01 to 2024-01-31 (123 days)"]


def test_half_swapped_days_leave_thin_months_or_no_day_after_the_twelfth(tmp_path: Path) -> None:
    swapped = [dt.date(2023, 1 + k % 12, 1 + k % 11) for k in range(600)]
    assert codes(tmp_path, shop(ordered_at=swapped)) == ["no_day_after_the_twelfth"]
    rows = shop(6000)
    kept = [k for k, day in enumerate(rows["ordered_at"]) if (day.year, day.month) != (2024, 2) or day.day == 20]
    thin = {name: [cells[k] for k in kept][: len(kept)] for name, cells in rows.items()}
    one = [k for k, day in enumerate(thin["ordered_at"]) if day == dt.date(2024, 2, 20)][5:]
    thin = {name: [cell for k, cell in enumerate(cells) if k not in one] for name, cells in thin.items()}
    assert codes(tmp_path, thin) == ["thin_month"]


def test_a_thin_end_proposes_the_day_after_the_last_usual_one(tmp_path: Path) -> None:
    rows = shop(3600)
    late = [k for k, day in enumerate(rows["ordered_at"]) if day > dt.date(2024, 6, 10)]
    dropped = {k for k in late if k % 10}
    thin = {name: [cell for k, cell in enumerate(cells) if k not in dropped] for name, cells in rows.items()}
    found = profiled(make_tables.write(tmp_path, thin)).findings
    assert [finding.code for finding in found] == ["thin_end"]
    assert "--as-of 2024-06-11" in found[0].hint
