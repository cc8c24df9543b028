"""Every way in which an input can be bad: the four-part error with exit code 2, or a counted, reported drop."""

from __future__ import annotations

import datetime
import gzip
import pathlib
import subprocess
import sys

import pyarrow as pa
import pytest

from contract import errors
from features import reading
from features.engines.duckdb import Engine
from tests import make_tables
from tests.make_tables import AS_OF

HEADER = "customer_id,ordered_at,amount\n"
LINES = "c-1,2024-01-01,10\nc-2,2024-01-05,5.5\nc-3,2024-02-20,99.99\n"


def report(
    source: str, as_of: datetime.date | None = AS_OF, columns: dict[str, str] | None = None, **others: str
) -> reading.ReadingReport:
    with Engine(threads=1) as engine:
        return reading.read(engine, reading.Sources(source, columns=columns or {}, **others), as_of).report


def refusal(
    kind: type[errors.BadInput],
    source: str,
    as_of: datetime.date | None = AS_OF,
    columns: dict[str, str] | None = None,
    **others: str,
) -> errors.BadInput:
    """The refusal, checked for what all of them must have."""
    with pytest.raises(kind) as caught:
        report(source, as_of, columns, **others)
    error = caught.value
    assert error.exit_code == 2
    assert error.what
    assert error.first
    assert error.hint
    assert error.count is None or (error.count > 0 and error.total is not None)
    return error


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
    for text in ("Kundenstraße", "c-1"):
        for encoding in ("latin-1", "utf-16"):
            if text == "c-1" and encoding == "latin-1":
                continue  # the same bytes as UTF-8
            path.write_bytes((HEADER + LINES + f"{text},2024-01-05,5\n").encode(encoding))
            assert "iconv" in refusal(errors.SourceUnreadable, str(path)).hint


def test_files_with_different_headers_are_refused(tmp_path: pathlib.Path) -> None:
    make_tables.write_text(tmp_path, HEADER + LINES, "a.csv")
    make_tables.write_text(tmp_path, "customer_id,amount,ordered_at\nc-9,1,2024-01-01\n", "b.csv")
    error = refusal(errors.SourceUnreadable, str(tmp_path / "*.csv"))
    assert error.first is not None
    assert error.first.endswith("b.csv")


def test_a_database_url_is_refused_without_its_password(tmp_path: pathlib.Path) -> None:
    error = refusal(errors.SourceUnreadable, "postgresql://me:s3cret@db.example/shop#orders")
    assert "s3cret" not in str(error)
    assert "Parquet" in error.hint


def test_a_place_that_cannot_be_written_to_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(errors.CannotWrite) as caught:
        Engine(temporary=tmp_path / "not there")
    assert caught.value.exit_code == 2
    assert caught.value.first == str(tmp_path / "not there")


FULL_DISK = """
import resource, sys
from contract import errors
from features import reading
from features.engines.duckdb import Engine
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # no file may grow beyond 100 kB
try:
    with Engine(threads=1) as engine:
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


# --- types -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("customer_id", [True, False, True, True, False, True]),
        ("customer_id", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]),
        ("ordered_at", [1704067200, 1704067201, 1704067202, 1704067203, 1704067204, 1704067205]),
        ("amount", [datetime.date(2024, 1, 1)] * 6),
        ("amount", [True] * 6),
    ],
)
def test_a_column_of_the_wrong_type_is_refused(tmp_path: pathlib.Path, column: str, cells: list[object]) -> None:
    table = make_tables.transactions(**{column: cells})
    error = refusal(errors.WrongType, make_tables.write(tmp_path, table))
    assert error.first is not None
    assert error.first.startswith(column)


def test_float_ids_that_are_not_whole_are_refused(tmp_path: pathlib.Path) -> None:
    table = make_tables.transactions(customer_id=[1.0, 2.0, 2.5, 3.0, float("nan"), None])
    error = refusal(errors.WrongType, make_tables.write(tmp_path, table))
    assert (error.count, error.total, error.first) == (1, 6, "customer_id=2.5")


def test_a_column_of_which_a_fifth_or_more_cannot_be_read_is_the_wrong_column(tmp_path: pathlib.Path) -> None:
    lines = "".join(f"c-{k},2024-01-{k + 1:02},{amount}\n" for k, amount in enumerate(["£3", "1,234.5"] + ["5"] * 7))
    source = make_tables.write_text(tmp_path, (HEADER + lines).replace("1,234.5", '"1,234.5"'))
    error = refusal(errors.WrongType, source)
    assert (error.count, error.total, error.first) == (2, 9, "amount=1,234.5")


@pytest.mark.parametrize("written", ["01/31/2024", "31.01.2024", "1704067200", "Jan 5 2024", "2024-02-30", "24:00"])
def test_times_that_are_not_iso_are_never_guessed_at(tmp_path: pathlib.Path, written: str) -> None:
    source = make_tables.write_text(tmp_path, HEADER + f"c-1,{written},1\nc-2,2024-01-05,2\n")
    assert refusal(errors.WrongType, source).first == f"ordered_at={written}"


def test_times_with_and_without_a_zone_in_one_column_are_refused(tmp_path: pathlib.Path) -> None:
    source = make_tables.write_text(
        tmp_path, HEADER + "c-1,2024-01-01T10:00:00+01:00,1\nc-2,2024-01-05T10:00:00,2\nc-3,2024-01-06T10:00Z,3\n"
    )
    error = refusal(errors.AmbiguousTime, source)
    assert (error.count, error.total, error.first) == (1, 3, "ordered_at=2024-01-05 10:00:00")


# --- rows ------------------------------------------------------------------------------------------------------------


def test_refunds_alone_are_no_orders(tmp_path: pathlib.Path) -> None:
    error = refusal(errors.NothingKnown, make_tables.write(tmp_path, make_tables.transactions(amount=[-1.0] * 6)))
    assert (error.count, error.total) == (6, 6)
    assert "refunds" in error.what


def test_an_as_of_before_every_row_is_refused(tmp_path: pathlib.Path) -> None:
    source = make_tables.write(tmp_path, make_tables.transactions())
    error = refusal(errors.NothingKnown, source, as_of=datetime.date(2024, 1, 1))
    assert (error.count, error.total) == (6, 6)


def test_an_as_of_after_every_row_is_reported_with_the_days_of_silence(tmp_path: pathlib.Path) -> None:
    source = make_tables.write(tmp_path, make_tables.transactions())
    found = report(source, as_of=datetime.date(2024, 3, 20))
    assert found.silence_days == 29  # 2024-02-20 to 2024-03-20
    assert "the newest row is 29 days before as_of" in found.notes()


def test_silence_longer_than_all_history_is_refused_with_a_date_that_works(tmp_path: pathlib.Path) -> None:
    source = make_tables.write(tmp_path, make_tables.transactions())
    error = refusal(errors.NothingKnown, source, as_of=datetime.date(2025, 3, 1))
    assert "--as-of 2024-02-21" in error.hint
    report(source, as_of=datetime.date(2024, 2, 21))


def test_one_customer_can_be_read(tmp_path: pathlib.Path) -> None:
    found = report(make_tables.write(tmp_path, make_tables.transactions(customer_id=["c-1"] * 6)))
    assert (found.n_customers, found.n_buyers) == (1, 1)


def test_a_million_rows_of_one_customer_can_be_read(tmp_path: pathlib.Path) -> None:
    rows = 1_000_000
    start = pa.scalar(0, pa.timestamp("us"))
    table = pa.table({"customer_id": pa.repeat("c-1", rows), "ordered_at": pa.repeat(start, rows),
                      "amount": pa.repeat(1.0, rows)})  # fmt: skip
    found = report(make_tables.write(tmp_path, table), as_of=datetime.date(1970, 1, 2))
    assert (found.rows_kept, found.n_customers, found.exact_duplicates) == (rows, 1, rows - 1)


def test_nan_and_infinite_and_absurd_amounts_are_dropped_and_counted(tmp_path: pathlib.Path) -> None:
    bad = [float("nan"), float("inf"), float("-inf"), 1e11, None]
    table = pa.table({"customer_id": ["c-1"] * 30, "ordered_at": ["2024-01-01"] * 30, "amount": bad + [1.0] * 25})
    found = report(make_tables.write(tmp_path, table), as_of=datetime.date(2024, 1, 2))
    assert found.dropped == {"unparsable_amount": 5}
    assert found.rows_kept == 25
    assert found.first["unparsable_amount"].startswith("customer_id=c-1, ordered_at=2024-01-01 00:00:00, amount=")


def test_every_row_that_is_left_out_has_one_counted_reason(tmp_path: pathlib.Path) -> None:
    good = "".join(f"c-{k},2024-01-{k + 1:02},5\n" for k in range(20))
    bad = ",2024-01-01,5\n  ,2024-01-01,5\nc-1,,5\nc-1,soon,5\nc-1,2024-01-01,\nc-1,2024-01-01,five\n,2024-02-01,x\n"
    found = report(make_tables.write_text(tmp_path, HEADER + good + bad), as_of=datetime.date(2024, 2, 1))
    assert found.dropped == {
        "no_customer_id": 2,
        "no_timestamp": 1,
        "unparsable_timestamp": 1,
        "unparsable_amount": 2,
        "on_or_after_as_of": 1,
    }
    assert found.rows_read == found.rows_kept + sum(found.dropped.values()) == 27
    assert found.first["unparsable_timestamp"] == "customer_id=c-1, ordered_at=soon, amount=5.000000"
    assert found.missing_share == 6 / 26


def test_a_table_without_one_usable_row_is_refused(tmp_path: pathlib.Path) -> None:
    error = refusal(errors.NothingKnown, make_tables.write_text(tmp_path, HEADER + ",2024-01-01,5\n,2024-01-02,5\n"))
    assert (error.count, error.total) == (2, 2)


# --- the optional tables ---------------------------------------------------------------------------------------------


def test_a_customer_who_is_there_twice_is_refused(tmp_path: pathlib.Path) -> None:
    orders = make_tables.write(tmp_path, make_tables.transactions())
    twins = make_tables.write(
        tmp_path, {"customer_id": ["c-1", "c-2", "c-2"], "city": ["a", "b", "c"]}, "people.parquet"
    )
    error = refusal(errors.BadInput, orders, customers=twins)
    assert (error.count, error.total, error.first) == (1, 2, "customer_id=c-2")


def test_a_missing_column_of_the_customers_is_refused_with_an_option_for_them_alone(tmp_path: pathlib.Path) -> None:
    orders = make_tables.write(tmp_path, make_tables.transactions())
    people = make_tables.write(tmp_path, {"Customer": ["c-1"], "city": ["a"]}, "people.parquet")
    error = refusal(errors.MissingColumn, orders, customers=people)
    assert "--column customers.customer_id=Customer" in error.hint
    report(orders, customers=people, columns={"customers.customer_id": "Customer"})


def test_unknown_kinds_of_contact_are_dropped_and_counted(tmp_path: pathlib.Path) -> None:
    orders = make_tables.write(tmp_path, make_tables.transactions())
    contacts = make_tables.write(
        tmp_path,
        {"customer_id": ["c-1", "c-1"], "occurred_at": ["2024-01-05", "2024-01-06"], "kind": ["visit", "seance"]},
        "contacts.parquet",
    )
    found = report(orders, interactions=contacts).interactions
    assert found is not None
    assert found.dropped == {"unknown_kind": 1}
    assert found.first == {"unknown_kind": "customer_id=c-1, occurred_at=2024-01-06 00:00:00, kind=seance"}
