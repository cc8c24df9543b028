"""A random table, written as every kind of file, is read to the same rows."""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import json
import pathlib
import sqlite3
import zipfile
from collections.abc import Callable
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from tests import make_tables
from tests.read_tables import rows

NAMES = ("customer_id", "ordered_at", "amount", "product_id")
EARLIEST, LATEST = dt.datetime(2023, 1, 1), dt.datetime(2024, 2, 29)  # noqa: DTZ001  cells have no zone
Row = tuple[str, dt.datetime, decimal.Decimal, str | None]

# Excel holds no control characters, and takes _x0041_ for an escaped letter; a cell of a CSV has no blanks around it.
text = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8).filter(
    lambda cell: "_x" not in cell.lower()
)
ids = st.one_of(st.integers(0, 10**12).map(str), st.integers(0, 999).map("{:06}".format), text)
times = st.datetimes(EARLIEST, LATEST).map(lambda at: at.replace(microsecond=0))
amounts = st.decimals(-1000, 100_000, places=2)
a_row = st.tuples(ids, times, amounts, st.none() | ids)
# One purchase at each end, so that no table is refused for ending too early.
ENDS = [
    ("first", EARLIEST, decimal.Decimal("1.00"), None),
    ("last", LATEST, decimal.Decimal("2.00"), "x"),
]


def plain(row: Row) -> list[Any]:
    return [row[0], str(row[1]), str(row[2]), row[3] or ""]


def as_csv(table: list[Row], folder: pathlib.Path) -> str:
    with (folder / "o.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([NAMES, *map(plain, table)])
    return str(folder / "o.csv")


def as_parquet(table: list[Row], folder: pathlib.Path) -> str:
    parquet.write_table(
        pa.table(dict(zip(NAMES, map(list, zip(*table, strict=True)), strict=True))), folder / "o.parquet"
    )
    return str(folder / "o.parquet")


def as_workbook(table: list[Row], folder: pathlib.Path) -> str:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Orders")
    sheet.append(NAMES)
    for row in table:
        cells = [openpyxl.cell.WriteOnlyCell(sheet, value=cell) for cell in row]  # type: ignore[arg-type]
        for place in (0, 3):  # text that begins with = is text, not a formula
            if row[place] is not None:
                cells[place].data_type = "s"
        sheet.append(cells)
    book.save(folder / "o.xlsx")
    return str(folder / "o.xlsx")


def as_zip(table: list[Row], folder: pathlib.Path) -> str:
    with zipfile.ZipFile(folder / "o.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(as_csv(table, folder), "o.csv")
    return str(folder / "o.zip")


def objects(table: list[Row]) -> list[dict[str, Any]]:
    return [dict(zip(NAMES, (row[0], str(row[1]), float(row[2]), row[3]), strict=True)) for row in table]


def as_json(table: list[Row], folder: pathlib.Path) -> str:
    (folder / "o.json").write_text(json.dumps(objects(table), ensure_ascii=False), encoding="utf-8")
    return str(folder / "o.json")


def as_lines(table: list[Row], folder: pathlib.Path) -> str:
    (folder / "o.jsonl").write_text("\n".join(map(json.dumps, objects(table))), encoding="utf-8")
    return str(folder / "o.jsonl")


def as_sqlite(table: list[Row], folder: pathlib.Path) -> str:
    (folder / "o.db").unlink(missing_ok=True)
    connection = sqlite3.connect(folder / "o.db")
    with connection:
        connection.execute("CREATE TABLE o (customer_id TEXT, ordered_at TEXT, amount REAL, product_id TEXT)")
        connection.executemany(
            "INSERT INTO o VALUES (?, ?, ?, ?)", [(row[0], str(row[1]), float(row[2]), row[3]) for row in table]
        )
    connection.close()
    return str(folder / "o.db")


def as_duckdb(table: list[Row], folder: pathlib.Path) -> str:
    (folder / "o.duckdb").unlink(missing_ok=True)
    with duckdb.connect(str(folder / "o.duckdb")) as connection:
        connection.execute(
            "CREATE TABLE o (customer_id TEXT, ordered_at TIMESTAMP, amount DECIMAL(9, 2), product_id TEXT)"
        )
        connection.executemany("INSERT INTO o VALUES (?, ?, ?, ?)", [list(row) for row in table])
    return str(folder / "o.duckdb")


KINDS: list[Callable[[list[Row], pathlib.Path], str]] = [
    as_csv, as_workbook, as_zip, as_json, as_lines, as_sqlite, as_duckdb
]  # fmt: skip


@settings(max_examples=4, deadline=None)
@given(st.lists(a_row, min_size=10, max_size=40))
def test_a_random_table_is_read_to_the_same_rows_from_every_kind_of_file(table: list[Row]) -> None:
    whole = [*ENDS, *table]
    with make_tables.folder() as folder:
        expected = rows(as_parquet(whole, folder))
        assert len(expected) == len(whole)
        for write in KINDS:
            assert rows(write(whole, folder)) == expected, write.__name__
