"""Workbooks, archives, JSON, SQLite and DuckDB files are read to the same rows as the CSV that they could be."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import pathlib
import sqlite3
import zipfile
from collections.abc import Callable
from typing import Any

import duckdb
import openpyxl
import pytest

from tests import make_tables
from tests.read_tables import refusal, report, rows
from tiercast.contract import errors
from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.features.reading.copies import archives


def at(*parts: int) -> dt.datetime:
    """A cell has no time zone."""
    return dt.datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


HEADER = ("customer_id", "ordered_at", "amount", "order_id", "note")
ORDERS = (
    ("007", at(2024, 1, 30, 8, 23), 12.5, 536365, "blue, large"),
    ("007", at(2024, 2, 21, 0, 0), 1250.25, "C536379", None),
    ("8", at(2024, 2, 2, 23, 59, 59), -3, 536380, "Zürich"),
    (None, at(2024, 2, 3, 0, 0), 5, 536381, ""),
)
Write = Callable[[pathlib.Path], str]
TEXTS = [["" if cell is None else str(cell) for cell in row] for row in ORDERS]


def as_csv(folder: pathlib.Path, name: str = "orders.csv") -> str:
    lines = [",".join(HEADER), *(",".join(f'"{cell}"' if "," in cell else cell for cell in row) for row in TEXTS)]
    return make_tables.write_text(folder, "\n".join(lines) + "\n", name)


def as_workbook(folder: pathlib.Path, name: str = "orders.xlsx") -> str:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Orders"
    for row in (HEADER, *ORDERS):
        sheet.append(row)
    book.create_sheet("Notes")
    book.save(folder / name)
    return str(folder / name)


def as_zip(folder: pathlib.Path) -> str:
    place = folder / "orders.csv.zip"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(as_csv(folder), "export/orders.csv")
        archive.writestr("__MACOSX/export/._orders.csv", b"\x00")
    return str(place)


def as_objects() -> list[dict[str, Any]]:
    return [
        {name: str(cell) if isinstance(cell, dt.datetime) else cell for name, cell in zip(HEADER, row, strict=True)}
        for row in ORDERS
    ]


def as_json(folder: pathlib.Path) -> str:
    return make_tables.write_text(folder, json.dumps(as_objects(), indent=1), "orders.json")


def as_lines(folder: pathlib.Path) -> str:
    lines = [json.dumps({name: cell for name, cell in row.items() if cell is not None}) for row in as_objects()]
    (folder / "orders.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    return str(folder / "orders.jsonl.gz")


def as_sqlite(folder: pathlib.Path) -> str:
    with sqlite3.connect(folder / "shop.db") as connection:
        connection.execute(
            "CREATE TABLE orders (customer_id TEXT, ordered_at TEXT, amount NUMERIC, order_id, note TEXT)"
        )
        cells = [[str(cell) if isinstance(cell, dt.datetime) else cell for cell in row] for row in ORDERS]
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", cells)
        connection.execute('CREATE TABLE "odd ""name" (a)')
    connection.close()
    return f"{folder}/shop.db#orders"


def as_duckdb(folder: pathlib.Path) -> str:
    with duckdb.connect(str(folder / "shop's.duckdb")) as connection:
        connection.execute("CREATE SCHEMA sales")
        connection.execute(
            "CREATE TABLE sales.orders "
            "(customer_id TEXT, ordered_at TIMESTAMP, amount DECIMAL(9, 2), order_id TEXT, note TEXT)"
        )
        connection.executemany("INSERT INTO sales.orders VALUES (?, ?, ?, ?, ?)", [list(row) for row in ORDERS])
    return f"duckdb:///{folder}/shop's.duckdb#sales.orders"


@pytest.mark.parametrize("write", [as_workbook, as_zip, as_json, as_lines, as_sqlite, as_duckdb])
def test_every_kind_is_read_to_the_rows_of_the_csv(write: Write, tmp_path: pathlib.Path) -> None:
    (tmp_path / "other").mkdir()
    expected = rows(as_csv(tmp_path / "other"))
    source = write(tmp_path)
    assert rows(source) == expected
    assert [(row["customer_id"], row["order_id"], float(row["amount"])) for row in expected] == [
        ("007", "536365", 12.5),
        ("007", "C536379", 1250.25),
        ("8", "536380", -3.0),
    ]
    transactions = report(source).transactions
    assert (transactions.rows_read, transactions.dropped) == (4, {"no_customer_id": 1})


def test_a_sheet_in_the_middle_of_the_page_is_read_from_its_corner(tmp_path: pathlib.Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "March"
    sheet["B2"] = "Orders of March"
    sheet.merge_cells("B2:F2")
    for number, row in enumerate((HEADER, *ORDERS), start=4):
        for column, cell in enumerate(row, start=2):
            sheet.cell(number, column, cell)  # type: ignore[call-overload]
    book.save(tmp_path / "orders.xlsx")
    error = refusal(errors.SourceUnreadable, str(tmp_path / "orders.xlsx"))
    assert "row 4" in error.what
    assert error.first == f"{tmp_path}/orders.xlsx#March, row 2: Orders of March"
    assert error.hint == f"name the cell where it begins: '{tmp_path}/orders.xlsx#March!B4'"
    found = rows(f"{tmp_path}/orders.xlsx#March!B4")
    assert [row["order_id"] for row in found] == ["536365", "C536379", "536380"]


def test_sheets_tables_and_members_are_named_where_there_are_several(tmp_path: pathlib.Path) -> None:
    book = openpyxl.Workbook()
    for title in ("Jan", "Feb"):
        book.create_sheet(title).append(HEADER)
    book.save(tmp_path / "o.xlsx")
    error = refusal(errors.SourceUnreadable, str(tmp_path / "o.xlsx"))
    assert error.first == f"{tmp_path}/o.xlsx; its sheets: 'Jan', 'Feb'"
    assert "#Jan" in error.hint
    assert "no sheet 'Mar'" in refusal(errors.SourceUnreadable, f"{tmp_path}/o.xlsx#Mar").what
    as_sqlite(tmp_path)
    error = refusal(errors.SourceUnreadable, str(tmp_path / "shop.db"))
    assert "2 tables" in error.what
    assert error.hint == f"name the table: '{tmp_path}/shop.db#orders'"
    assert "no table 'order'" in refusal(errors.SourceUnreadable, f"sqlite:///{tmp_path}/shop.db#order").what
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", "x\n")
        archive.writestr("b.csv", "x\n")
    assert "its files: a.csv, b.csv" in str(refusal(errors.SourceUnreadable, str(tmp_path / "two.zip")))


@pytest.mark.parametrize("source", ["nothere.xlsx#Sheet", "sqlite:///nothere.db#orders", "duckdb:///nothere.duckdb"])
def test_a_file_that_is_not_there_is_refused_as_missing(source: str) -> None:
    assert refusal(errors.SourceUnreadable, source).what == "there is no such file"


def test_nested_fields_are_refused_by_name(tmp_path: pathlib.Path) -> None:
    nested = [{"customer": {"id": 7}, "ordered_at": "2024-01-30", "amount": 3}]
    error = refusal(errors.SourceUnreadable, make_tables.write_text(tmp_path, json.dumps(nested), "o.json"))
    assert "'customer'" in error.what
    given = {"customer_id": "customer"}
    error = refusal(errors.WrongType, str(tmp_path / "o.json"), columns=given)
    assert "'customer' cannot be an id" in error.what
    wrapped = make_tables.write_text(tmp_path, json.dumps({"data": nested}), "w.json")
    assert "'data'" in refusal(errors.SourceUnreadable, wrapped).what


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.json", b'[{"customer_id": 1, "ordered_at": "2024-01-01", "amount": 1}, {"cus'),
        ("cut.jsonl", b'{"customer_id": 1, "ordered_at": "2024-01-01", "amount": 1}\n{"customer_id": 2,\n'),
        ("list.json", b"[1, 2]"),
        ("cut.xlsx", b"PK\x03\x04" + b"x" * 100),
        ("cut.zip", b"PK\x03\x04" + b"x" * 100),
        ("cut.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 100),
        ("cut.db", b"SQLite format 3\x00" + b"x" * 5000),
        ("cut.duckdb", b"\x00" * 8 + b"DUCK" + b"\x00" * 5000),
    ],
)
def test_a_file_that_is_cut_off_is_refused(name: str, content: bytes, tmp_path: pathlib.Path) -> None:
    (tmp_path / name).write_bytes(content)
    refusal(errors.BadInput, str(tmp_path / name))


def test_an_archive_may_not_grow_beyond_its_limit(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "ALWAYS_ALLOWED", 1 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("orders.csv", b"a,b\n" + b"0" * (8 << 20))
    assert "unpacks to more than" in refusal(errors.SourceUnreadable, str(tmp_path / "bomb.zip")).what


def test_an_error_inside_an_archive_names_the_archive_and_nothing_stays_behind(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "o.zip", "w") as archive:
        archive.writestr("o.csv", "1,2024-01-01,5\n2,2024-01-02,6\n")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    error = refusal(errors.SourceUnreadable, str(tmp_path / "o.zip"))
    assert error.first == f"{tmp_path}/o.zip, line 1: 1,2024-01-01,5"
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_binary_column_is_refused_by_name_and_others_beside_it_are_read(tmp_path: pathlib.Path) -> None:
    with sqlite3.connect(tmp_path / "s.db") as connection:
        connection.execute("CREATE TABLE o (customer_id BLOB, ordered_at TEXT, amount REAL, photo BLOB, id TEXT)")
        connection.execute("INSERT INTO o VALUES (x'00ff', '2024-02-29', 2, x'00', 'a')")
    connection.close()
    assert "'customer_id' has binary" in refusal(errors.WrongType, str(tmp_path / "s.db")).what
    (row,) = rows(str(tmp_path / "s.db"), columns={"customer_id": "id"})
    assert row["customer_id"] == "a"


def test_a_customers_table_may_be_a_sheet(tmp_path: pathlib.Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for cells in (("customer_id", "joined_on", "age", "city"), (8.0, dt.date(2023, 5, 1), 41, "Bern")):
        sheet.append(cells)
    book.save(tmp_path / "people.xlsx")
    given = reading.Sources(as_csv(tmp_path), str(tmp_path / "people.xlsx"))
    with DuckDBEngine(threads=1) as engine:
        people = reading.read(engine, given, make_tables.AS_OF).tables.customers
        assert people is not None
        (row,) = engine.con.to_pyarrow(people).to_pylist()
    assert row == {"customer_id": "8", "joined_on": dt.date(2023, 5, 1), "age": 41.0, "city": "Bern"}
