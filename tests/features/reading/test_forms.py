"""Dates and amounts as people and programs write them: read where all cells allow one reading, else refused."""

from __future__ import annotations

import datetime
import pathlib
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tiercast.contract import errors
from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.features.reading import dialect

DAY = "2024-01-05"


def read(
    folder: pathlib.Path, times: list[str], amounts: list[str], *, when: str = "ordered_at", **given: str
) -> reading.Reading:
    path = folder / "orders.csv"
    rows = [f"c-{n}|{time}|{amount}\n" for n, (time, amount) in enumerate(zip(times, amounts, strict=True))]
    path.write_text(f"customer_id|{when}|amount\n" + "".join(rows))
    return read_file(path, {"ordered_at": when}, **given)


def read_file(path: pathlib.Path, columns: dict[str, str], **given: str) -> reading.Reading:
    engine = DuckDBEngine(threads=1)
    found = reading.read(engine, reading.Sources(str(path), columns=columns, dialect=dialect.parse(given)), None)
    rows = engine.con.to_pyarrow(found.tables.transactions).to_pylist()
    engine.close()
    return found._replace(tables=sorted(rows, key=lambda row: row["customer_id"]))  # type: ignore[arg-type]


def amounts(folder: pathlib.Path, *written: str, **given: str) -> list[str]:
    rows: Any = read(folder, [DAY] * len(written), list(written), **given).tables
    return [f"{row['amount']:.3f}".rstrip("0").rstrip(".") for row in rows]


def times(folder: pathlib.Path, *written: str, **given: str) -> list[str]:
    rows: Any = read(folder, list(written), ["5"] * len(written), **given).tables
    return [row["ordered_at"].isoformat(" ") for row in rows]


# --- amounts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        (["$1,234.50", "€ 3"], None),
        (["$1,234.50", "$ 3", "-$4.25", "$-4.25"], ["1234.5", "3", "-4.25", "-4.25"]),
        (["¥1,234.50", "3元", "￥ 2"], ["1234.5", "3", "2"]),
        (["£12.50", "€12.50"], None),
        (["1 234.50 €", "1\u00a0234\u202f567", "3 €"], ["1234.5", "1234567", "3"]),
        (["(30.22)", "30.22-", "\u221230.22", "($1,000.00)", "5"], ["-30.22", "-30.22", "-30.22", "-1000", "5"]),
        (["1,234,567", "1,234"], ["1234567", "1234"]),
        (["1,234", "7.5"], ["1234", "7.5"]),
        (["1'234.50", "7"], ["1234.5", "7"]),
        (["1,23,456.50", "7"], ["123456.5", "7"]),
        (["1.234", "0.5"], ["1.234", "0.5"]),
        (["1234.567", "1.234"], ["1234.567", "1.234"]),
        (["1.234", "1.5"], ["1.234", "1.5"]),
        (["1,234", "7"], None),  # 1234, or 1.234
        (["1.234", "7"], None),
        (["250.000", "1.500.000"], None),
        (["12,50", "7"], None),
        (["1.234,50", "7"], None),
        (["12,50", "1.234", "3.5"], None),  # both signs before decimals
    ],
)
def test_amounts_are_read_where_all_cells_allow_one_reading(
    tmp_path: pathlib.Path, written: list[str], read_as: list[str] | None
) -> None:
    if read_as is not None:
        assert amounts(tmp_path, *written) == read_as
        return
    with pytest.raises(errors.BadInput) as caught:
        amounts(tmp_path, *written)
    assert caught.value.first
    assert "--decimal" in caught.value.hint or "currency" in caught.value.hint


@pytest.mark.parametrize(
    ("written", "given", "read_as"),
    [
        (["1.234,50", "12,5", "7", "1.234"], {"decimal": ","}, ["1234.5", "12.5", "7", "1234"]),
        (["1.234,50", "1.234"], {"thousands": "."}, ["1234.5", "1234"]),
        (["1.234", "7"], {"decimal": "."}, ["1.234", "7"]),
        (["1,234", "7"], {"thousands": ","}, ["1234", "7"]),
        (["1,234", "7"], {"decimal": ","}, ["1.234", "7"]),
        (["250.000", "1.500.000 €", "-3"], {"decimal": ",", "thousands": "."}, ["250000", "1500000", "-3"]),
    ],
)
def test_a_given_sign_decides(
    tmp_path: pathlib.Path, written: list[str], given: dict[str, str], read_as: list[str]
) -> None:
    assert amounts(tmp_path, *written, **given) == read_as


def test_a_cell_that_fits_no_form_is_dropped_and_counted(tmp_path: pathlib.Path) -> None:
    found = read(tmp_path, [DAY] * 30, ["n/a", "--5", "(5", *["$1.50"] * 26, ""])
    assert found.report.dropped == {"unparsable_amount": 3, "no_amount": 1}


def test_the_report_says_what_was_read_from_another_form(tmp_path: pathlib.Path) -> None:
    report = read(tmp_path, ["1672531200", "1672617600"], ["$1,234.50", "7"], when="created").report
    assert report.transactions.read_as == (
        "2 cells of ordered_at are read as seconds since 1970, in UTC: 1672531200 is 2023-01-01 00:00:00",
        "1 cells of amount are read from another form: $1,234.50 is 1234.500000",
    )
    assert all("  " + note in report.lines() for note in report.transactions.read_as)


def test_rows_of_the_future_do_not_decide_how_amounts_are_read(tmp_path: pathlib.Path) -> None:
    """`12.50` would show that the dot marks decimals; `1,5` that the comma does."""
    path = tmp_path / "orders.csv"
    rows = ["a|2024-01-05|1,234.50", "b|2024-01-06|1,234", "c|2024-02-01|1,5"]
    path.write_text("customer_id|ordered_at|amount\n" + "\n".join(rows) + "\n")
    with DuckDBEngine() as engine:
        found = reading.read(engine, reading.Sources(str(path)), datetime.date(2024, 1, 8))
        rows_read = engine.con.to_pyarrow(found.tables.transactions).to_pylist()
    assert sorted(row["amount"] for row in rows_read) == [1234, 1234.5]


# --- dates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("2023/01/05", "2023-01-05 00:00:00"),
        ("2023-1-5", "2023-01-05 00:00:00"),
        ("2023.01.05", "2023-01-05 00:00:00"),
        ("2023年1月5日", "2023-01-05 00:00:00"),
        ("2023-01-05 8:23", "2023-01-05 08:23:00"),
        ("2023/1/5 8:23:07", "2023-01-05 08:23:07"),
        ("2023-01-05 8:23 PM", "2023-01-05 20:23:00"),
        ("2023-01-05 12:23 am", "2023-01-05 00:23:00"),
        ("2023-01-05 02:23 +0400", "2023-01-04 22:23:00"),
        ("2023-01-05 02:23:09 UTC", "2023-01-05 02:23:09"),
        ("2023-01-05 02:23:09.25 +04:00", "2023-01-04 22:23:09.250000"),
        ("20230105", "2023-01-05 00:00:00"),
        ("1672876800", "2023-01-05 00:00:00"),
        ("1672876800123", "2023-01-05 00:00:00.123000"),
        ("1672876800.0", "2023-01-05 00:00:00"),
    ],
)
def test_a_date_with_one_meaning_is_read(tmp_path: pathlib.Path, written: str, read_as: str) -> None:
    assert times(tmp_path, written, written) == [read_as, read_as]


@pytest.mark.parametrize("written", ["2023/13/01", "2023-02-30", "2023-01-05 13:00 PM", "2023/01-05", "20231301"])
def test_a_date_that_is_none_is_refused(tmp_path: pathlib.Path, written: str) -> None:
    with pytest.raises(errors.WrongType):
        times(tmp_path, written)


def test_numbers_are_a_time_only_where_the_column_is_named_like_one(tmp_path: pathlib.Path) -> None:
    with pytest.raises(errors.WrongType, match="names no time") as caught:
        times(tmp_path, "1672876800", when="ref")
    assert caught.value.hint == "if they are, pass --date-format epoch"
    assert times(tmp_path, "1672876800", when="ref", date_format="epoch") == ["2023-01-05 00:00:00"]


def test_numbers_among_written_dates_are_no_time(tmp_path: pathlib.Path) -> None:
    found = read(tmp_path, [*["2023-01-05"] * 9, "1672876800"], ["5"] * 10)
    assert found.report.dropped == {"unparsable_timestamp": 1}


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        (["31/12/2023", "01/02/2023"], "probably --date-format %d/%m/%Y"),
        (["12/31/2023", "01/02/2023"], "probably --date-format %m/%d/%Y"),
        (["31.12.2023 8:05", "01.02.2023 8:05"], "probably --date-format '%d.%m.%Y %H:%M'"),
        (["12/31/23 8:05:09 PM", "1/2/23 8:05:09 AM"], "probably --date-format '%m/%d/%y %I:%M:%S %p'"),
        (["01/02/2023", "02/02/2023"], "pass --date-format %d/%m/%Y or --date-format %m/%d/%Y"),
        (["31 Jan 2023", "1 Feb 2023"], "pass --date-format '%d %b %Y'"),
        (["Jan 31, 2023", "Feb 1, 2023"], "pass --date-format '%b %d, %Y'"),
        (["44927", "44928.5"], "if they are, pass --date-format excel"),
        (["13/02/2023", "02/13/2023"], "write the dates of all rows alike, as 2024-01-31"),
    ],
)
def test_a_date_with_two_meanings_is_refused_with_the_option_to_pass(
    tmp_path: pathlib.Path, written: list[str], hint: str
) -> None:
    with pytest.raises(errors.WrongType) as caught:
        times(tmp_path, *written)
    assert caught.value.hint == hint


def test_the_evidence_for_the_order_of_day_and_month_is_counted(tmp_path: pathlib.Path) -> None:
    days = [f"{1 + n % 14:02}/03/2023" for n in range(140)]
    with pytest.raises(errors.WrongType, match="20 of 140 cells have a first number over 12"):
        times(tmp_path, *days)


@pytest.mark.parametrize(
    ("written", "date_format", "read_as"),
    [
        ("05/01/2023", "%d/%m/%Y", "2023-01-05 00:00:00"),
        ("01/05/2023", "%m/%d/%Y", "2023-01-05 00:00:00"),
        ("5.1.23 8:05", "%d.%m.%y %H:%M", "2023-01-05 08:05:00"),
        ("5-Jan-2023", "%d-%b-%Y", "2023-01-05 00:00:00"),
        ("January 5, 2023 12:01 AM", "%B %d, %Y %I:%M %p", "2023-01-05 00:01:00"),
        ("05/01/2023 02:00:00.5 +0400", "%d/%m/%Y %H:%M:%S.%f %z", "2023-01-04 22:00:00.500000"),
        ("2023-05-01", "%Y-%d-%m", "2023-01-05 00:00:00"),
        ("05/01/1970", "%d/%m/%Y", "1970-01-05 00:00:00"),
        ("44931", "excel", "2023-01-05 00:00:00"),
        ("44931.349305555559", "excel", "2023-01-05 08:23:00"),
        ("2023-01-05", "%d/%m/%Y", "2023-01-05 00:00:00"),  # the year first is never in doubt
    ],
)
def test_a_given_format_is_read(tmp_path: pathlib.Path, written: str, date_format: str, read_as: str) -> None:
    assert times(tmp_path, written, date_format=date_format) == [read_as]


@pytest.mark.parametrize("date_format", ["%d/%m", "%q", "%d/%d/%Y", "monday", "%d/%m/%Y %p"])
def test_a_format_without_a_whole_day_is_refused(date_format: str) -> None:
    with pytest.raises(errors.BadInput, match="--date-format") as caught:
        dialect.parse({"date_format": date_format})
    assert "%d/%m/%Y" in caught.value.hint


@pytest.mark.parametrize(
    ("cells", "date_format"),
    [
        (pa.array([1672876800, 1672876800]), ""),
        (pa.array([20230105, 20230105]), ""),
        (pa.array([44931, 44931]), "excel"),
        (pa.array([1672876800000.0, None]), ""),
    ],
)
def test_numbers_of_a_typed_column_are_read_alike(tmp_path: pathlib.Path, cells: pa.Array, date_format: str) -> None:
    path = tmp_path / "orders.parquet"
    parquet.write_table(pa.table({"customer_id": ["a", "b"], "ordered_at": cells, "amount": [5, 5]}), path)
    rows: Any = read_file(path, {}, **({"date_format": date_format} if date_format else {})).tables
    assert {row["ordered_at"] for row in rows} == {datetime.datetime(2023, 1, 5)}  # noqa: DTZ001


# --- the zone whose days count ----------------------------------------------------------------------------------------


def test_a_day_is_a_day_of_the_given_zone(tmp_path: pathlib.Path) -> None:
    """20:00 UTC is 04:00 of the next day in Shanghai; a time without a zone is Shanghai's already."""
    written = ["2023-01-05T20:00Z", "2023-01-05 20:00 +0100", "2023-01-05 20:00", "2023-01-05"]
    moved = ["2023-01-06 04:00:00", "2023-01-06 03:00:00", "2023-01-05 20:00:00", "2023-01-05 00:00:00"]
    assert times(tmp_path, *written, timezone="Asia/Shanghai") == moved
    report = read(tmp_path, written, ["5"] * 4, timezone="Asia/Shanghai").report
    assert "2 times had another offset and were converted to Asia/Shanghai" in report.notes()
    assert report.as_of == datetime.date(2023, 1, 7)


def test_seconds_since_1970_are_moved_to_the_zone(tmp_path: pathlib.Path) -> None:
    assert times(tmp_path, "1672876800", timezone="America/New_York") == ["2023-01-04 19:00:00"]


@pytest.mark.parametrize(
    ("zone", "read_as"), [("UTC", "2023-01-05 20:00:00"), ("Asia/Shanghai", "2023-01-06 04:00:00")]
)
@pytest.mark.parametrize("typed", [pa.timestamp("us", "UTC"), pa.timestamp("ms", "Europe/Berlin")])
def test_a_typed_time_with_a_zone_is_moved_too(
    tmp_path: pathlib.Path, typed: pa.DataType, zone: str, read_as: str
) -> None:
    cells = pa.array([datetime.datetime(2023, 1, 5, 20, tzinfo=datetime.UTC)], typed)
    parquet.write_table(pa.table({"customer_id": ["a"], "ordered_at": cells, "amount": [5]}), tmp_path / "o.parquet")
    (row,) = read_file(tmp_path / "o.parquet", {}, timezone=zone).tables  # type: ignore[misc]
    assert str(row["ordered_at"]) == read_as


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(errors.BadInput, match="--timezone"):
        dialect.parse({"timezone": "Atlantis/Capital"})
