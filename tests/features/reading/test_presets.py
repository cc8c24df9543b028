"""Exports of shop systems, made by hand after real ones, are read to orders that were counted by hand."""

from __future__ import annotations

import csv
import datetime as dt
import pathlib
import re
import shutil
import zipfile
from typing import Any

import openpyxl
import pytest
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from tests import make_tables
from tests.read_tables import refusal, report, rows
from tiercast.contract import errors
from tiercast.features.reading import presets
from tiercast.features.reading.dialect import Dialect

AS_OF = dt.date(2024, 3, 1)
Row = tuple[str, str, float]
EXPORTS = pathlib.Path(__file__).with_name("exports")
SHOPIFY = (EXPORTS / "shopify.csv").read_text(encoding="utf-8")
STRIPE = (EXPORTS / "stripe.csv").read_text(encoding="utf-8")
WOO = (EXPORTS / "woocommerce.csv").read_text(encoding="utf-8")
WOO_LINES = (EXPORTS / "woocommerce_lines.csv").read_text(encoding="utf-8")
MAGENTO = (EXPORTS / "magento.csv").read_text(encoding="utf-8")
SQUARE = (EXPORTS / "square.csv").read_text(encoding="utf-8")


def read(folder: pathlib.Path, text: str, name: str = "auto", as_of: dt.date | None = None, **how: Any) -> list[Row]:
    """Customer, time and money of every row, by time."""
    found = rows(make_tables.write_text(folder, text), as_of, presets=presets.load(name), **how)
    return sorted((row["customer_id"], str(row["ordered_at"]), float(row["amount"])) for row in found)


def described(folder: pathlib.Path, text: str, as_of: dt.date | None = None, **how: Any) -> dict[str, Any]:
    place = make_tables.write_text(folder, text)
    found = report(place, as_of, presets=presets.load("auto"), **how).as_dict()["preset"]
    assert isinstance(found, dict)
    return found


def steps(found: dict[str, Any]) -> list[tuple[int, float]]:
    return [(step["rows"], step["amount"]) for step in found["steps"]]


def test_shopify_orders_are_one_row_each_without_what_was_cancelled_or_given_back(tmp_path: pathlib.Path) -> None:
    assert read(tmp_path, SHOPIFY, as_of=AS_OF) == [
        ("ada@example.com", "2024-01-03 15:14:00", 56.29),
        ("ada@example.com", "2024-01-20 14:00:00", 14.5),  # 25.00 less 10.50
        ("bo@example.com", "2024-02-25 14:00:00", 9.99),
    ]
    found = described(tmp_path, SHOPIFY, AS_OF)
    # Two further lines; a test; one cancelled; refunded 40 and pending 70; no e-mail; given back in full.
    assert steps(found) == [(2, 0.0), (1, 12.0), (1, 60.0), (2, 110.0), (1, 8.0), (1, 30.0)]
    assert (found["preset"], found["rows_read"], found["orders"], found["amount"]) == ("shopify", 11, 3, 91.28)
    assert (found["currency"], found["refunds"]["rows"], found["refunds"]["amount"]) == ("USD", 1, 10.5)


def test_stripe_payments_in_two_currencies_are_refused_until_one_is_chosen(tmp_path: pathlib.Path) -> None:
    error = refusal(
        errors.BadInput, make_tables.write_text(tmp_path, STRIPE), AS_OF, presets=presets.load("stripe")
    )  # fmt: skip
    assert "several currencies" in error.what
    assert (error.count, error.total, error.hint) == (1, 4, "keep one of them: --currency USD")
    assert read(tmp_path, STRIPE, currency="usd") == [
        ("a@b.com", "2024-01-02 10:00:00", 100.0),
        ("a@b.com", "2024-01-05 10:00:00", 50.0),
        ("e@f.com", "2024-02-22 10:00:00", 17.25),
    ]
    found = described(tmp_path, STRIPE, currency="USD")
    assert steps(found) == [(2, 75.0), (1, 33.0), (1, 45.0), (1, 60.0)]
    assert found["statuses"] == {"paid": 3}
    renamed = STRIPE.replace("Created (UTC)", "Created date (UTC)")
    assert len(read(tmp_path, renamed, currency="USD")) == 3
    none = refusal(
        errors.BadInput, make_tables.write_text(tmp_path, STRIPE), AS_OF, presets=presets.load("stripe"), currency="CHF"
    )
    assert "no order is in CHF" in none.what


def test_an_export_with_decimal_commas_is_refused_until_the_option_is_given(tmp_path: pathlib.Path) -> None:
    european = re.sub(r",(\d+)\.(\d\d)(?=,)", r',"\1,\2"', re.sub(r",(\d+)\.(\d\d)(?=,)", r',"\1,\2"', STRIPE))
    place = make_tables.write_text(tmp_path, european)
    assert "--decimal" in refusal(errors.BadInput, place, AS_OF, presets=presets.load("stripe"), currency="USD").hint
    given = Dialect(decimal=",", thousands=".")
    found = read(tmp_path, european, currency="USD", dialect=given)
    assert found == read(tmp_path, STRIPE, currency="USD")


def test_woocommerce_orders_lose_what_is_not_paid_and_repeats_of_their_total(tmp_path: pathlib.Path) -> None:
    assert read(tmp_path, WOO) == [
        ("ada@example.com", "2024-01-05 12:30:00", 55.0),
        ("bo@example.com", "2024-01-25 12:30:00", 15.0),
    ]
    assert steps(described(tmp_path, WOO)) == [(2, 164.0)]
    assert read(tmp_path, WOO_LINES) == [
        ("ada@example.com", "2024-01-05 12:30:00", 28.5),
        ("bo@example.com", "2024-02-20 09:05:00", 10.0),
    ]
    found = described(tmp_path, WOO_LINES)
    assert (found["preset"], steps(found)) == ("woocommerce-lines", [(1, 10.0), (1, 28.5)])
    differing = WOO_LINES.replace("8.50,28.50", "8.50,8.50")
    error = refusal(errors.BadInput, make_tables.write_text(tmp_path, differing), AS_OF, presets=presets.load("auto"))
    assert "different" in error.what
    assert str(error.first).endswith("orders.csv: 11")


def test_magento_dates_and_money_are_read_as_its_grid_writes_them(tmp_path: pathlib.Path) -> None:
    assert read(tmp_path, MAGENTO) == [
        ("ada@example.com", "2024-01-05 15:04:05", 1200.0),
        ("bo@example.com", "2024-02-20 08:00:00", 19.99),
    ]
    assert steps(described(tmp_path, MAGENTO)) == [(2, 115.0)]


def test_square_items_keep_refunds_as_rows_below_zero(tmp_path: pathlib.Path) -> None:
    assert read(tmp_path, SQUARE) == [
        ("CUST1", "2024-01-15 14:00:00", 36.0),
        ("CUST1", "2024-01-15 14:00:00", 1197.0),
        ("CUST1", "2024-02-20 09:00:00", -18.0),
    ]
    assert steps(described(tmp_path, SQUARE)) == [(1, 12.0)]


def test_olists_files_are_joined_to_the_person_behind_several_customer_ids(tmp_path: pathlib.Path) -> None:
    shutil.copytree(EXPORTS / "olist", tmp_path, dirs_exist_ok=True)
    for place in (tmp_path, tmp_path / "olist_orders_dataset.csv"):
        for name in ("olist", "auto"):
            found = rows(str(place), AS_OF, presets=presets.load(name))
            assert sorted((row["customer_id"], row["order_id"], float(row["amount"])) for row in found) == [
                ("u1", "o1", 9.33),
                ("u1", "o1", 90.0),
                ("u1", "o3", 65.71),
                ("u1", "o5", 1.0),
                ("u1", "o6", 2.0),
            ]
    assert "--from olist" in refusal(errors.SourceUnreadable, str(tmp_path), AS_OF).hint
    read_report = report(str(tmp_path), AS_OF, presets=presets.load("olist"))
    assert read_report.transactions.dropped == {"no_amount": 1}  # o4 has no payment
    (tmp_path / "olist_customers_dataset.csv").unlink()
    missing = refusal(errors.SourceUnreadable, str(tmp_path), AS_OF, presets=presets.load("olist"))
    assert (missing.count, missing.total) == (1, 3)


def test_items_of_a_merged_olist_file_count_once_with_price_and_freight(tmp_path: pathlib.Path) -> None:
    merged = (
        "order_id,customer_id,order_status,order_purchase_timestamp,order_item_id,product_id,price,freight_value,"
        "payment_value,customer_unique_id\n"
        "o1,c1,delivered,2024-01-05 10:56:33,1,p,10.50,2.25,90.00,u1\n"
        "o1,c1,delivered,2024-01-05 10:56:33,1,p,10.50,2.25,9.33,u1\n"
        "o1,c1,delivered,2024-01-05 10:56:33,2,p,10.50,2.25,90.00,u1\n"
        "o2,c1,unavailable,2024-01-05 10:56:33,1,p,7,1,8,u1\n"
    )
    assert read(tmp_path, merged) == [("u1", "2024-01-05 10:56:33", 12.75)] * 2


def test_a_users_own_preset_is_a_file(tmp_path: pathlib.Path) -> None:
    own = tmp_path / "till.toml"
    own.write_text(
        """
        recognised_by = ["kunde", "cents"]
        columns = { customer_id = "kunde", ordered_at = ["tag", "uhr"], amount = "cents" }
        amounts = { minor_units = 2 }
        refunds = { column = "back", how = "rows", dated_by = "back_on" }
        """
    )
    text = "kunde,tag,uhr,cents,back,back_on\nA,2024-01-05,10:00,1999,500,2024-02-20\nB,2024-02-01,,100,,\n"
    assert read(tmp_path, text, str(own), AS_OF) == [
        ("A", "2024-01-05 10:00:00", 19.99),
        ("A", "2024-02-20 00:00:00", -5.0),
        ("B", "2024-02-01 00:00:00", 1.0),
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("currancy = 'x'", "there is no key 'currancy'; nearest: 'currency'"),
        ("refunds = { colum = 'x' }", "nearest: 'column'"),
        ("drop = [{ reason = 'x', column = 'y' }]", "either values"),
        ("amounts = { minor_units = 99 }", "less than or equal to 6"),
    ],
)
def test_a_fault_in_a_preset_names_the_key(tmp_path: pathlib.Path, line: str, words: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        f"recognised_by = ['a']\ncolumns = {{ customer_id = 'a', ordered_at = 'b', amount = 'c' }}\n{line}\n"
    )
    with pytest.raises(errors.BadInput) as caught:
        presets.load(str(own))
    assert words in str(caught.value)
    assert str(own) in str(caught.value.first)
    own.write_text("a = [")
    with pytest.raises(errors.BadInput, match="cannot be read"):
        presets.load(str(own))


def test_a_header_that_a_preset_knows_is_proposed_where_columns_are_missing(tmp_path: pathlib.Path) -> None:
    for text, name in ((SHOPIFY, "shopify"), (STRIPE, "stripe"), (WOO, "woocommerce"), (SQUARE, "square")):
        error = refusal(errors.MissingColumn, make_tables.write_text(tmp_path, text), AS_OF)
        assert f"--from {name};" in error.hint
    other = make_tables.write_text(tmp_path, "a,b,c\n1,2,3\n")
    assert "--from" not in refusal(errors.MissingColumn, other).hint
    refusal(errors.MissingColumn, other, presets=presets.load("auto"))
    wrong = refusal(errors.MissingColumn, make_tables.write_text(tmp_path, WOO), presets=presets.load("shopify"))
    assert "'Financial Status'" in wrong.what
    with pytest.raises(errors.BadInput, match="nearest: 'shopify'"):
        presets.load("shopfy")


def test_an_export_of_which_nothing_is_left_is_refused_with_the_reason(tmp_path: pathlib.Path) -> None:
    header, *lines = WOO.splitlines()
    text = "\n".join([header, lines[1], lines[3]]) + "\n"
    error = refusal(errors.NothingKnown, make_tables.write_text(tmp_path, text), AS_OF, presets=presets.load("auto"))
    assert (error.count, error.total) == (2, 2)
    assert "not paid" in str(error.first)


def test_all_is_the_same_from_parquet(tmp_path: pathlib.Path) -> None:
    expected = read(tmp_path, SHOPIFY, as_of=AS_OF)
    parquet.write_table(arrow_csv.read_csv(tmp_path / "orders.csv"), tmp_path / "orders.parquet")
    found = rows(str(tmp_path / "orders.parquet"), AS_OF, presets=presets.load("auto"))
    assert sorted((row["customer_id"], str(row["ordered_at"]), float(row["amount"])) for row in found) == expected


def test_an_export_that_went_through_excel_or_came_zipped_is_read_alike(tmp_path: pathlib.Path) -> None:
    expected = read(tmp_path, SHOPIFY, as_of=AS_OF)
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for number, cells in enumerate(csv.reader(SHOPIFY.splitlines())):
        # Excel turns text that looks like a number into one, as here the totals.
        sheet.append([float(cell) if number and cell.replace(".", "", 1).isdigit() else cell or None for cell in cells])
    book.save(tmp_path / "orders.xlsx")
    with zipfile.ZipFile(tmp_path / "orders.zip", "w") as archive:
        archive.writestr("orders_export_1.csv", SHOPIFY)
    for name in ("orders.xlsx", "orders.zip"):
        found = rows(str(tmp_path / name), AS_OF, presets=presets.load("auto"))
        assert sorted((row["customer_id"], str(row["ordered_at"]), float(row["amount"])) for row in found) == expected


def test_a_column_of_the_command_line_wins_over_the_preset(tmp_path: pathlib.Path) -> None:
    found = read(tmp_path, SHOPIFY, as_of=AS_OF, columns={"amount": "Subtotal", "product_id": "Lineitem name"})
    assert [amount for _, _, amount in found] == [47.0, 14.5, 9.99]
