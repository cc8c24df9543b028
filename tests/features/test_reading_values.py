"""What a cell means: ids, times and money."""

from __future__ import annotations

import datetime
import pathlib
from decimal import Decimal

import pyarrow as pa
import pytest

from tests import make_tables
from tests.read_tables import column, rows
from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine

HEADER = "customer_id,ordered_at,amount\n"


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


# --- ids -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["orders.csv", "orders.parquet"])
def test_ids_stay_what_they_are(tmp_path: pathlib.Path, name: str) -> None:
    ids = ["007", "7", " 7", "Zoë Müller", "顧客-1", 'say "hi", then']
    source = make_tables.write(tmp_path, make_tables.transactions(customer_id=ids), name)
    assert sorted(column("customer_id", source)) == sorted(ids)


def test_numbers_become_the_text_of_their_digits(tmp_path: pathlib.Path) -> None:
    large = 2**62 + 1
    integers = make_tables.write(tmp_path, make_tables.transactions(customer_id=[7, -1, 0, large, 5, 6]))
    assert set(column("customer_id", integers)) == {"7", "-1", "0", str(large), "5", "6"}
    floats = make_tables.transactions(customer_id=[17850.0, 1e15, 1.0, 2.0, float("nan"), None])
    assert column("customer_id", make_tables.write(tmp_path, floats)) == ["1", "1000000000000000", "17850", "2"]


# --- times -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2024-01-05", "2024-01-05T00:00"),
        ("2024-01-05 10:30", "2024-01-05T10:30"),
        ("2024-01-05T10:30:59.25", "2024-01-05T10:30:59.25"),
        ("2024-01-05T10:30Z", "2024-01-05T10:30"),
        ("2024-01-05T23:30:00-05:30", "2024-01-06T05:00"),  # the next day
        ("2024-01-05 00:30:00+0100", "2024-01-04T23:30"),  # the day before
        ("2024-01-05 00:30:00+01", "2024-01-04T23:30"),
        ("  2024-01-05T10:30:00+00:00 ", "2024-01-05T10:30"),
    ],
)
def test_iso_times_in_text_become_utc(tmp_path: pathlib.Path, written: str, utc: str) -> None:
    source = make_tables.write_text(tmp_path, HEADER + f"c-1,{written},1\n")
    (row,) = rows(source, as_of=at(utc).date() + datetime.timedelta(days=1))
    assert (row["ordered_at"], row["ordered_on"]) == (at(utc), at(utc).date())


def test_different_offsets_are_converted_and_counted(tmp_path: pathlib.Path) -> None:
    text = HEADER + "c-1,2024-01-05T00:30+01:00,1\nc-2,2024-01-05T00:30-01:00,1\nc-3,2024-01-05T00:30Z,1\n"
    with DuckDBEngine() as engine:
        source = reading.Sources(make_tables.write_text(tmp_path, text))
        report = reading.read(engine, source, datetime.date(2024, 1, 6)).report
    assert report.converted_to_utc == 2
    assert "2 times had another offset and were converted to UTC" in report.lines()


def test_typed_times_with_a_zone_become_utc(tmp_path: pathlib.Path) -> None:
    times = pa.array([at("2024-01-05T23:30:00")] * 6, pa.timestamp("ns")).cast(pa.timestamp("ns", "UTC"))
    zoned = times.cast(pa.timestamp("ns", "America/New_York"))
    source = make_tables.write(tmp_path, make_tables.transactions(ordered_at=zoned))
    assert set(column("ordered_at", source, as_of=datetime.date(2024, 1, 7))) == {at("2024-01-05T23:30:00")}


def test_known_is_strictly_before_midnight_utc(tmp_path: pathlib.Path) -> None:
    text = HEADER + "a,2024-01-31T23:59:59.999999,1\nb,2024-02-01T00:00,1\nc,2024-01-31,1\nd,2024-02-01,1\n"
    source = make_tables.write_text(tmp_path, text)
    assert column("customer_id", source, as_of=datetime.date(2024, 2, 1)) == ["a", "c"]


def test_without_an_as_of_the_day_after_the_newest_row_is_taken(tmp_path: pathlib.Path) -> None:
    with DuckDBEngine() as engine:
        found = reading.read(engine, reading.Sources(make_tables.write(tmp_path, make_tables.transactions())), None)
    assert found.as_of == found.report.as_of == datetime.date(2024, 2, 21)
    assert found.report.rows_kept == 6


# --- money -----------------------------------------------------------------------------------------------------------


def test_money_has_six_places_and_rounds_the_seventh(tmp_path: pathlib.Path) -> None:
    written = ["0.1", "12.1234565", "-3", "1e2", "+.5", "99999999999.999999", "  7 "]
    lines = "".join(f"c-{k},2024-01-05,{amount}\n" for k, amount in enumerate(written))
    expected = ["0.100000", "12.123457", "-3.000000", "100.000000", "0.500000", "99999999999.999999", "7.000000"]
    found = column("amount", make_tables.write_text(tmp_path, HEADER + lines), as_of=datetime.date(2024, 1, 6))
    assert [str(amount) for amount in found] == expected


def test_margin_is_the_money_where_it_is_given(tmp_path: pathlib.Path) -> None:
    source = make_tables.write(tmp_path, make_tables.transactions(margin=[1, 2, 3, 4, 5, 6]))
    assert sorted(column("money", source)) == [1, 2, 3, 4, 5, 6]
    assert Decimal("99.99") in column("amount", source)


def test_a_quantity_that_cannot_be_read_is_missing_and_counted(tmp_path: pathlib.Path) -> None:
    lines = "".join(f"c-{k},2024-01-05,5,{'many' if k == 3 else k}\n" for k in range(6))
    source = make_tables.write_text(tmp_path, HEADER.replace("\n", ",quantity\n") + lines)
    with DuckDBEngine() as engine:
        found = reading.read(engine, reading.Sources(source), datetime.date(2024, 1, 6))
    assert found.report.transactions.blanked == {"quantity": 1}
    assert None in column("quantity", source, as_of=datetime.date(2024, 1, 6))


def test_a_quantity_that_is_no_number_is_missing_also_in_a_file_with_statistics(tmp_path: pathlib.Path) -> None:
    """Parquet's smallest and largest value leave nan out, and DuckDB 2.0 concludes from them that there is none."""
    quantity = [1.0, float("nan"), 2.0, 3.0, 4.0, 5.0]
    source = make_tables.write(tmp_path, make_tables.transactions(quantity=quantity))
    assert sorted(column("quantity", source), key=str) == [1.0, 2.0, 3.0, 4.0, 5.0, None]
    with DuckDBEngine() as engine:
        found = reading.read(engine, reading.Sources(source), datetime.date(2024, 3, 1))
    assert found.report.transactions.blanked == {"quantity": 1}


@pytest.mark.parametrize("large", [1e300, -1e11])
def test_a_quantity_too_large_to_be_added_exactly_is_missing_and_counted(tmp_path: pathlib.Path, large: float) -> None:
    """One of 1e300 used to end the run in the engine's own words."""
    quantity = [large, 99_999_999_999.5, 2.0, 3.0, 4.0, 5.0]
    source = make_tables.write(tmp_path, make_tables.transactions(quantity=quantity))
    assert sorted(column("quantity", source), key=str) == [2.0, 3.0, 4.0, 5.0, 99_999_999_999.5, None]
    with DuckDBEngine() as engine:
        found = reading.read(engine, reading.Sources(source), datetime.date(2024, 3, 1))
    assert found.report.transactions.blanked == {"quantity": 1}
