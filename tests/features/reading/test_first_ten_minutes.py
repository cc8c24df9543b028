"""Files as programs export them: each reads to the right rows, or is refused with a way on."""

from __future__ import annotations

import datetime
import gzip
import pathlib

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.read_tables import refusal, rows
from tiercast.contract import errors
from tiercast.features.engines import duckdb_errors

AS_OF = datetime.date(2024, 1, 7)
HEADER = "customer_id,ordered_at,amount"
CELLS = ("007,2024-01-05,20.98", "c-2,2024-01-06,-3.5")
EXPECTED = [("007", "2024-01-05", "20.98"), ("c-2", "2024-01-06", "-3.50")]


def table(*lines: str, end: str = "\n") -> str:
    return "".join(line + end for line in lines)


TABLES = {
    "row numbers of pandas": table("," + HEADER, *(f"{n},{line}" for n, line in enumerate(CELLS))),
    "a trailing comma": table(HEADER + ",", *(line + "," for line in CELLS)),
    "two blank names": table(f",{HEADER},", *(f"x,{line},y" for line in CELLS)),
    "the delimiter on line 1": table("sep=,", HEADER, *CELLS),
    "another delimiter on line 1": table("sep=;", HEADER, *CELLS).replace(",", ";").replace("sep=;", "sep=;"),
    "the delimiter on line 1, quoted": table('"sep=,"', HEADER, *CELLS),
    "names equal but for case": table(HEADER + ",Note,note", *(line + ",a,b" for line in CELLS)),
    "one of ours in another case": table("Amount," + HEADER, *("99," + line for line in CELLS)),
    "carriage returns": table(HEADER, *CELLS, end="\r"),
    "carriage returns and newlines": table(HEADER, *CELLS, end="\r\n"),
}


def read(path: pathlib.Path) -> list[tuple[object, ...]]:
    found = rows(str(path), AS_OF)
    return sorted((row["customer_id"], str(row["ordered_on"]), f"{row['amount']:.2f}") for row in found)


@pytest.mark.parametrize("name", TABLES)
def test_a_file_as_programs_write_it_reads_to_the_same_rows(tmp_path: pathlib.Path, name: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(TABLES[name].encode())
    assert read(path) == EXPECTED


@pytest.mark.parametrize("name", ["orders.CSV", "orders.Txt", "orders.CSV.GZ"])
def test_the_case_of_an_ending_does_not_matter(tmp_path: pathlib.Path, name: str) -> None:
    content = table(HEADER, *CELLS).encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("GZ") else content)
    assert read(tmp_path / name) == EXPECTED


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("is_packed", [False, True])
def test_marked_encodings_read_to_the_same_text(tmp_path: pathlib.Path, encoding: str, is_packed: bool) -> None:
    mark = "" if encoding == "utf-8-sig" else "\ufeff"
    content = (mark + table(HEADER, "客户😀é,2024-01-06,1")).encode(encoding)
    path = tmp_path / ("orders.csv.gz" if is_packed else "orders.csv")
    path.write_bytes(gzip.compress(content) if is_packed else content)
    assert [row["customer_id"] for row in rows(str(path), AS_OF)] == ["客户😀é"]


def test_utf16_with_half_a_character_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "orders.csv").write_bytes(table(HEADER, *CELLS).encode("utf-16") + b"\x00\xd8")
    assert "utf-16" in refusal(errors.SourceUnreadable, str(tmp_path / "orders.csv"), AS_OF).what


def test_a_header_further_down_is_named_with_its_line(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(table("Sales of January", "", HEADER, *CELLS))
    error = refusal(errors.SourceUnreadable, str(path), AS_OF)
    assert "line 3" in error.what
    assert "tail -n +3" in error.hint


@pytest.mark.parametrize("line", [CELLS[0], "17850;01.12.2010 08:26;2,55", "1,2,3"])
def test_a_row_of_data_is_not_taken_for_a_header(tmp_path: pathlib.Path, line: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(table(line, *CELLS))
    error = refusal(errors.SourceUnreadable, str(path), AS_OF)
    assert "no header" in error.what
    assert error.first is not None
    assert line in error.first


def test_all_missing_columns_are_in_one_error_with_the_nearest_names(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(table("CustomerID,Ordered At,total", *CELLS))
    error = refusal(errors.MissingColumn, str(path), AS_OF)
    assert (error.count, error.total) == (3, 3)
    renames = "--column customer_id=CustomerID --column 'ordered_at=Ordered At' --column amount=total"
    assert error.hint == f"tiercast check {path} {renames}"


def test_files_of_unlike_types_are_refused(tmp_path: pathlib.Path) -> None:
    whole = pa.table({"customer_id": ["a"], "ordered_at": [datetime.date(2024, 1, 5)], "amount": [1.0]})
    parquet.write_table(whole, tmp_path / "a.parquet")
    parquet.write_table(whole.set_column(2, "amount", pa.array(["x"])), tmp_path / "b.parquet")
    assert "types" in refusal(errors.SourceUnreadable, str(tmp_path), AS_OF).hint
    parquet.write_table(whole.rename_columns(["customer_id", "ordered_at", "total"]), tmp_path / "b.parquet")
    assert "different columns" in refusal(errors.SourceUnreadable, str(tmp_path), AS_OF).hint


def test_the_last_day_of_the_calendar_is_no_reason_to_choose_the_day_after(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(table(HEADER, *CELLS, "1,9999-12-31,5"))
    assert "--as-of" in refusal(errors.NothingKnown, str(path), None).hint
    assert read(path) == EXPECTED


def test_the_year_0_is_no_date(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(table(HEADER, *CELLS, *CELLS, *CELLS, "1,0000-01-01,5"))
    assert len(rows(str(path), AS_OF)) == 6


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (gzip.compress(b"a"), "gzip"),
        (b"PK\x03\x04" + bytes(20), "Excel"),
        (b"\xd0\xcf\x11\xe0" + bytes(20), "Excel"),
        (b"SQLite format 3\x00", "SQLite"),
        (bytes(8) + b"DUCK" + bytes(8), "DuckDB"),
        (b"<!DOCTYPE html><html>", "web page"),
    ],
)
def test_what_is_no_text_is_called_by_its_name(tmp_path: pathlib.Path, start: bytes, name: str) -> None:
    (tmp_path / "orders.csv").write_bytes(start)
    assert name in refusal(errors.SourceUnreadable, str(tmp_path / "orders.csv"), AS_OF).what


def test_an_error_that_comes_late_has_four_parts() -> None:
    import duckdb

    late = duckdb_errors.translate_late(duckdb.BinderException("Binder Error: no function"))
    assert isinstance(late, errors.EngineFailed)
    assert isinstance(duckdb_errors.translate_late(duckdb.IOException("IO Error: gone")), errors.SourceUnreadable)
    assert duckdb_errors.translate_late(ValueError("x")) is None
