"""Cells and rows that cannot be read: a four-part error with exit code 2, or a counted, reported drop."""

from __future__ import annotations

import datetime
import pathlib

import pyarrow as pa
import pytest

from tests import make_tables
from tests.read_tables import refusal, report
from tiercast.contract import errors

HEADER = "customer_id,ordered_at,amount\n"

# --- types -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("customer_id", [True, False, True, True, False, True]),
        ("customer_id", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]),
        ("ordered_at", [True] * 6),
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
    lines = "".join(
        f"c-{k},2024-01-{k + 1:02},{amount}\n" for k, amount in enumerate(["3 apples", "1,234.5.6"] + ["5"] * 7)
    )
    source = make_tables.write_text(tmp_path, (HEADER + lines).replace("1,234.5.6", '"1,234.5.6"'))
    error = refusal(errors.WrongType, source)
    assert (error.count, error.total, error.first) == (2, 9, "amount=1,234.5.6")


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
    assert found.dropped == {"no_amount": 1, "unparsable_amount": 4}
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
        "no_amount": 1,
        "unparsable_amount": 1,
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
    duplicates = make_tables.write(
        tmp_path, {"customer_id": ["c-1", "c-2", "c-2"], "city": ["a", "b", "c"]}, "people.parquet"
    )
    error = refusal(errors.BadInput, orders, customers=duplicates)
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
