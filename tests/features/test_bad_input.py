"""Files and columns that cannot be read: each gives the four-part error with exit code 2."""

from __future__ import annotations

import gzip
import pathlib
import subprocess
import sys

import pyarrow as pa
import pytest

from tests import make_tables
from tests.read_tables import refusal
from tiercast.contract import errors
from tiercast.features.engines.duckdb import DuckDBEngine

HEADER = "customer_id,ordered_at,amount\n"
LINES = "c-1,2024-01-01,10\nc-2,2024-01-05,5.5\nc-3,2024-02-20,99.99\n"


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_file_that_is_not_there_is_named(tmp_path: pathlib.Path) -> None:
    error = refusal(errors.SourceUnreadable, str(tmp_path / "gone.parquet"))
    assert error.first == str(tmp_path / "gone.parquet")


@pytest.mark.parametrize("name", ["orders.csv", "orders.parquet"])
def test_an_empty_file_is_refused(tmp_path: pathlib.Path, name: str) -> None:
    (tmp_path / name).touch()
    assert "empty" in refusal(errors.SourceUnreadable, str(tmp_path / name)).what


def test_a_file_with_a_header_and_no_rows_is_refused(tmp_path: pathlib.Path) -> None:
    assert "no rows" in refusal(errors.NothingKnown, make_tables.write_text(tmp_path, HEADER)).what
    empty = make_tables.write(tmp_path, make_tables.transactions().slice(0, 0))
    assert "no rows" in refusal(errors.NothingKnown, empty).what
    assert "no rows" in refusal(errors.NothingKnown, empty, as_of=None).what


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_parquet_file_that_is_cut_off_is_refused(tmp_path: pathlib.Path, share: float) -> None:
    path = pathlib.Path(make_tables.write(tmp_path, make_tables.transactions()))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert "cut off" in refusal(errors.SourceUnreadable, str(path)).hint


def test_a_parquet_file_with_damaged_pages_is_refused(tmp_path: pathlib.Path) -> None:
    rows = 20_000
    table = pa.table({"customer_id": [f"c-{k}" for k in range(rows)], "ordered_at": ["2024-01-01"] * rows,
                      "amount": [float(k) for k in range(rows)]})  # fmt: skip
    path = pathlib.Path(make_tables.write(tmp_path, table))
    content = bytearray(path.read_bytes())
    content[200:20_000] = bytes(19_800)
    path.write_bytes(bytes(content))
    refusal(errors.SourceUnreadable, str(path))


def test_a_csv_line_that_is_cut_off_is_refused_with_its_number(tmp_path: pathlib.Path) -> None:
    error = refusal(errors.SourceUnreadable, make_tables.write_text(tmp_path, HEADER + LINES + "c-4,2024-0"))
    assert error.first is not None
    assert error.first.endswith("line 5: c-4,2024-0")


def test_a_csv_line_with_too_many_cells_is_refused_with_its_number(tmp_path: pathlib.Path) -> None:
    error = refusal(errors.SourceUnreadable, make_tables.write_text(tmp_path, HEADER + "c-4,2024-01-01,1,5\n" + LINES))
    assert error.first is not None
    assert error.first.endswith("line 2: c-4,2024-01-01,1,5")


def test_a_quote_that_never_closes_is_refused(tmp_path: pathlib.Path) -> None:
    refusal(errors.SourceUnreadable, make_tables.write_text(tmp_path, HEADER + LINES + '"c-4,2024-01-01,1\n'))


def test_a_compressed_file_that_is_cut_off_is_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "orders.csv.gz"
    rows = "".join(f"c-{k * 7919 % 1000},2024-01-{k % 28 + 1:02},{k * 31 % 977}.5\n" for k in range(5000))
    whole = gzip.compress((HEADER + rows).encode())
    for keep in (12, len(whole) // 2, len(whole) - 9):
        path.write_bytes(whole[:keep])
        refusal(errors.SourceUnreadable, str(path))


def test_a_folder_without_parquet_is_refused_and_told_of_its_csv(tmp_path: pathlib.Path) -> None:
    make_tables.write_text(tmp_path, HEADER + LINES)
    error = refusal(errors.SourceUnreadable, str(tmp_path))
    assert "no Parquet" in error.what
    assert error.hint == f"pass '{tmp_path}/*.csv'"


def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: pathlib.Path) -> None:
    assert "name says Parquet" in refusal(
        errors.SourceUnreadable, make_tables.write_text(tmp_path, HEADER + LINES, "orders.parquet")
    ).what  # fmt: skip
    refusal(errors.SourceUnreadable, make_tables.write_text(tmp_path, "PK...", "orders.xlsx"))


def test_text_that_is_not_utf8_is_refused_with_the_command_that_converts_it(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "orders.csv"
    for encoding in ("latin-1", "gb18030"):
        text = "Kundenstraße" if encoding == "latin-1" else "客户"
        path.write_bytes((HEADER + LINES + f"{text},2024-01-05,5\n").encode(encoding))
        hint = refusal(errors.SourceUnreadable, str(path)).hint
        assert "--encoding" in hint
        assert {"latin-1": "cp1252"}.get(encoding, encoding) in hint


def test_files_with_different_headers_are_refused(tmp_path: pathlib.Path) -> None:
    make_tables.write_text(tmp_path, HEADER + LINES, "a.csv")
    make_tables.write_text(tmp_path, "customer_id,amount,ordered_at\nc-9,1,2024-01-01\n", "b.csv")
    error = refusal(errors.SourceUnreadable, str(tmp_path / "*.csv"))
    assert error.first is not None
    assert error.first.endswith("b.csv")


@pytest.mark.parametrize("scheme", ["postgresql", "mysql", "s3"])
def test_an_address_that_cannot_be_read_is_refused_without_its_password(scheme: str) -> None:
    error = refusal(errors.SourceUnreadable, f"{scheme}://me:s3cret@db.example/shop#orders")
    assert "s3cret" not in str(error)
    assert {"postgresql": "table=", "mysql": "MYSQL_PWD", "s3": "credentials"}[scheme] in error.hint


def test_a_place_that_cannot_be_written_to_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(errors.CannotWrite) as caught:
        DuckDBEngine(temporary=tmp_path / "not there")
    assert caught.value.exit_code == 2
    assert caught.value.first == str(tmp_path / "not there")


FULL_DISK = """
import resource, sys
from tiercast.contract import errors
from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # no file may grow beyond 100 kB
try:
    with DuckDBEngine(threads=1) as engine:
        reading.read(engine, reading.Sources(sys.argv[1]), None)
except errors.BadInput as error:
    print(error)
    sys.exit(error.exit_code)
"""


def test_a_full_disk_is_refused(tmp_path: pathlib.Path) -> None:
    rows = "".join(f"c-{k * 7919 % 100_003},2024-01-{k % 28 + 1:02},{k * 31 % 977}.5\n" for k in range(50_000))
    source = make_tables.write_text(tmp_path, HEADER + rows)
    done = subprocess.run([sys.executable, "-c", FULL_DISK, source], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stdout.startswith("CannotWrite")
    assert done.stderr == ""


# --- columns ---------------------------------------------------------------------------------------------------------


def test_a_missing_column_is_refused_with_the_nearest_names_and_the_option(tmp_path: pathlib.Path) -> None:
    table = make_tables.transactions().rename_columns(["CustomerID", "ordered_at", "amount"])
    error = refusal(errors.MissingColumn, make_tables.write(tmp_path, table))
    assert "'CustomerID'" in error.what
    assert "--column customer_id=CustomerID" in error.hint


def test_names_count_letter_by_letter(tmp_path: pathlib.Path) -> None:
    table = make_tables.transactions().rename_columns(["Customer_ID", "ordered_at", "amount"])
    assert "customer_id=Customer_ID" in refusal(errors.MissingColumn, make_tables.write(tmp_path, table)).hint


def test_a_rename_to_a_column_that_is_not_there_is_refused(tmp_path: pathlib.Path) -> None:
    source = make_tables.write(tmp_path, make_tables.transactions())
    error = refusal(errors.MissingColumn, source, columns={"customer_id": "client"})
    assert error.first == "customer_id=client"
    assert refusal(errors.MissingColumn, source, columns={"quantity": "pieces"}).first == "quantity=pieces"


def test_a_rename_of_a_column_that_no_table_needs_is_refused(tmp_path: pathlib.Path) -> None:
    source = make_tables.write(tmp_path, make_tables.transactions())
    assert "customer_id" in refusal(errors.MissingColumn, source, columns={"client_id": "amount"}).hint
    refusal(errors.MissingColumn, source, columns={"joined_on": "amount"})


def test_the_same_column_twice_in_a_header_is_refused(tmp_path: pathlib.Path) -> None:
    source = make_tables.write_text(tmp_path, "customer_id,ordered_at,amount,amount\nc-1,2024-01-01,1,2\n")
    assert "2 times" in refusal(errors.SourceUnreadable, source).what
