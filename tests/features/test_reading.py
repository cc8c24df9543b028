"""What is read from which files, the optional tables, counts; and that tomorrow's rows change nothing today."""

from __future__ import annotations

import datetime
import gzip
import pathlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import cdnow_table, make_tables
from tests.make_tables import AS_OF
from tests.read_tables import column, rows
from tiercast.features import reading
from tiercast.features.engines.duckdb import Engine

HEADER = "customer_id,ordered_at,amount\n"


# --- the canonical table ---------------------------------------------------------------------------------------------


def test_the_canonical_table_has_the_promised_columns_and_types(tmp_path: pathlib.Path) -> None:
    extra: dict[str, Sequence[Any]] = {"product_id": range(6), "quantity": range(6), "note": ["x"] * 6}
    with Engine() as engine:
        source = make_tables.write(tmp_path, make_tables.transactions(**extra))
        table = reading.read(engine, reading.Sources(source), AS_OF).tables.transactions
        schema = engine.con.to_pyarrow(table).schema
    assert dict(zip(schema.names, map(str, schema.types), strict=True)) == {
        "customer_id": "string",
        "ordered_at": "timestamp[us]",
        "ordered_on": "date32[day]",
        "money": "decimal128(18, 6)",
        "amount": "decimal128(18, 6)",
        "product_id": "string",
        "quantity": "double",
    }


def test_parquet_and_csv_and_compressed_csv_give_the_same_rows(tmp_path: pathlib.Path) -> None:
    table = make_tables.transactions()
    parquet, text = make_tables.write(tmp_path, table), make_tables.write(tmp_path, table, "orders.csv")
    packed = tmp_path / "packed.csv.gz"
    packed.write_bytes(gzip.compress(pathlib.Path(text).read_bytes()))
    assert rows(parquet) == rows(text) == rows(str(packed))
    assert len(rows(parquet)) == 6


def test_a_glob_and_a_folder_and_hive_partitions_are_read(tmp_path: pathlib.Path) -> None:
    table = make_tables.transactions()
    for k, part in enumerate([table.slice(0, 2), table.slice(2)]):
        (tmp_path / f"channel=0{k}").mkdir()
        make_tables.write(tmp_path / f"channel=0{k}", part)
    (tmp_path / "_temporary").mkdir()
    make_tables.write_text(tmp_path / "_temporary", "half written", "part.parquet")
    assert column("channel", str(tmp_path)) == ["00"] * 2 + ["01"] * 4
    assert len(rows(str(tmp_path / "channel=01" / "*.parquet"))) == 4


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path: pathlib.Path) -> None:
    make_tables.write(tmp_path, make_tables.transactions(customer_id=["wrong"] * 6), "orders1.parquet")
    source = make_tables.write(tmp_path, make_tables.transactions(), "orders[1].parquet")
    assert "wrong" not in column("customer_id", source)
    text = make_tables.write(tmp_path, make_tables.transactions(), "ord?rs*.csv")
    assert len(rows(text)) == 6


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_seen_in_the_header(tmp_path: pathlib.Path, delimiter: str) -> None:
    text = (HEADER + 'c-1,2024-01-05,"12.5"\n').replace(",", delimiter)
    assert column("amount", make_tables.write_text(tmp_path, text), as_of=datetime.date(2024, 1, 6)) == [
        Decimal("12.5")
    ]


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_a_name_or_value(tmp_path: pathlib.Path) -> None:
    text = "\ufeff" + (HEADER + "c-1,2024-01-05,12.5\nc-2,2024-01-05,3\n").replace("\n", "\r\n")
    source = make_tables.write_text(tmp_path, text)
    assert column("amount", source, as_of=datetime.date(2024, 1, 6)) == [Decimal("12.5"), Decimal(3)]


def test_columns_can_be_renamed(tmp_path: pathlib.Path) -> None:
    table = make_tables.transactions().rename_columns(["Customer ID", "time", "Σ"])
    renames = {"customer_id": "Customer ID", "ordered_at": "time", "amount": "Σ"}
    assert len(rows(make_tables.write(tmp_path, table), columns=renames)) == 6


# --- duplicates ------------------------------------------------------------------------------------------------------


def test_rows_equal_in_every_column_are_kept_and_reported_or_dropped_on_request(tmp_path: pathlib.Path) -> None:
    lines = "a,2024-01-05,5,1\na,2024-01-05,5,1\na,2024-01-05,5,1\na,2024-01-05,5,2\n"
    for source in (
        make_tables.write_text(tmp_path, HEADER.replace("\n", ",till\n") + lines),
        make_tables.write(tmp_path, {"customer_id": ["a"] * 4, "ordered_at": [datetime.date(2024, 1, 5)] * 4,
                                     "amount": [5] * 4, "till": [1, 1, 1, 2]}),
    ):  # fmt: skip
        with Engine() as engine:
            kept = reading.read(engine, reading.Sources(source), datetime.date(2024, 1, 6))
            dropped = reading.read(engine, reading.Sources(source, duplicates="drop"), datetime.date(2024, 1, 6))
        assert (kept.report.exact_duplicates, kept.report.rows_kept, kept.report.dropped) == (2, 4, {})
        assert (dropped.report.rows_kept, dropped.report.dropped) == (2, {"exact_duplicate": 2})
        assert len(rows(source, as_of=datetime.date(2024, 1, 6), duplicates="drop")) == 2


# --- the optional tables ---------------------------------------------------------------------------------------------


def test_attributes_become_numbers_where_all_cells_are_and_text_elsewhere(tmp_path: pathlib.Path) -> None:
    orders = make_tables.write(tmp_path, make_tables.transactions())
    people = make_tables.write_text(
        tmp_path,
        "customer_id,joined_on,age,zip,city,is_member\nc-1,2023-05-01,41,01067,Köln,1\nc-2,,,50667,,0\nc-9,2024-03-01,1,1,x,1\n",
        "people.csv",
    )
    first, second = rows(orders, table="customers", customers=people)  # c-9 joins on as_of
    joined = datetime.date(2023, 5, 1)
    assert tuple(first) == ("customer_id", "joined_on", "age", "zip", "city", "is_member")
    assert tuple(first.values()) == ("c-1", joined, 41.0, "01067", "Köln", 1.0)
    assert tuple(second.values()) == ("c-2", None, None, "50667", None, 0.0)


def test_interactions_are_known_before_as_of_only(tmp_path: pathlib.Path) -> None:
    orders = make_tables.write(tmp_path, make_tables.transactions())
    contacts = make_tables.write_text(
        tmp_path, "customer_id,occurred_at,kind,score\nc-1,2024-02-29,survey,9\nc-1,2024-03-01,visit,\n", "contacts.csv"
    )
    assert rows(orders, table="interactions", interactions=contacts) == [
        {
            "customer_id": "c-1",
            "occurred_at": datetime.datetime.fromisoformat("2024-02-29"),
            "kind": "survey",
            "score": 9.0,
        }
    ]


# --- published counts ------------------------------------------------------------------------------------------------


def test_cdnow_has_its_published_counts(tmp_path: pathlib.Path) -> None:
    source = str(cdnow_table.write_parquet(tmp_path / "cdnow.parquet"))
    with Engine() as engine:
        report = reading.read(engine, reading.Sources(source), datetime.date(1998, 7, 1)).report
    assert (report.rows_read, report.rows_kept, report.dropped) == (69_659, 69_659, {})
    assert (report.n_customers, report.n_buyers) == (23_570, 23_570)
    assert (report.first_on, report.last_on) == (datetime.date(1997, 1, 1), datetime.date(1998, 6, 30))
    assert report.exact_duplicates == 255


# --- time: one rule --------------------------------------------------------------------------------------------------

PAST = "a,2024-01-01,10,1\na,2024-01-20,20,2\nb,2024-01-09,5,1\nb,2024-01-09,5,1\n"
PAST += ",2024-01-10,5,1\nb,2024-01-09,x,1\nc,,1,1\n" + "".join(f"d,2024-01-{day:02},3,1\n" for day in range(1, 20))
TODAY = datetime.date(2024, 1, 21)
futures = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "new", "", "2.5"]),
        st.sampled_from(["2024-01-21", "2024-01-21T00:00Z", "2024-01-22T10:00:00+01:00", "2025-06-01 10:00"]),
        st.sampled_from(["1", "-1", "nan", "inf", "1e300", "", "£3"]),
        st.sampled_from(["1", "many", ""]),
    ),
    max_size=40,
)


@settings(max_examples=20)
@given(futures)
def test_rows_of_the_future_change_nothing_that_is_read_today(future: list[tuple[str, ...]]) -> None:
    header = "customer_id,ordered_at,amount,quantity\n"
    with make_tables.folder() as folder:
        source = make_tables.write_text(folder, header + PAST)
        table, report = _read_all(source)
        with_future = make_tables.write_text(folder, header + "".join(",".join(row) + "\n" for row in future) + PAST)
        later_table, later_report = _read_all(with_future)
    assert later_table == table
    late = later_report.dropped.pop("on_or_after_as_of", 0)
    assert late == len(future)
    transactions = later_report.transactions._replace(rows_read=report.rows_read)
    assert later_report._replace(transactions=transactions) == report


def _read_all(source: str) -> tuple[list[dict[str, Any]], reading.ReadingReport]:
    with Engine(threads=1) as engine:
        found = reading.read(engine, reading.Sources(source), TODAY)
        return sorted(engine.con.to_pyarrow(found.tables.transactions).to_pylist(), key=repr), found.report
