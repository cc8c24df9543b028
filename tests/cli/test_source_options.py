from __future__ import annotations

import pathlib
import shutil

import pytest

from tests import command_line
from tiercast.commands.options import SourceOptions
from tiercast.contract import errors

EXPORTS = pathlib.Path(__file__).parents[1] / "features" / "reading" / "exports"


def test_duplicates_are_kept_unless_they_are_dropped_by_an_option() -> None:
    assert SourceOptions("orders.parquet").sources().duplicates == "keep"
    assert SourceOptions("orders.parquet", duplicates="drop").sources().duplicates == "drop"


def test_another_word_for_duplicates_is_refused_with_the_known_ones() -> None:
    with pytest.raises(errors.BadInput) as caught:
        SourceOptions("orders.parquet", duplicates="delete").sources()
    assert str(caught.value).splitlines() == [
        "BadInput: --duplicates is not known",
        "First: delete",
        "Hint: one of: keep, drop",
    ]


def test_a_currency_without_a_preset_is_refused() -> None:
    with pytest.raises(errors.BadInput, match="--currency"):
        SourceOptions("orders.csv", currency="EUR").sources()
    assert SourceOptions("orders.csv", preset="stripe", currency="EUR").sources().currency == "EUR"


def test_every_command_that_reads_transactions_takes_a_preset() -> None:
    for command in ("check", "train", "score", "explain", "backtest", "tune", "watch"):
        assert "--from" in command_line.run(command, "--help").stdout, command


def test_what_a_preset_did_is_printed_and_in_the_json(tmp_path: pathlib.Path) -> None:
    shutil.copy(EXPORTS / "shopify.csv", tmp_path / "orders.csv")
    arguments = ("check", tmp_path / "orders.csv", "--as-of", "2024-03-01")
    printed = command_line.run(*arguments, "--from", "auto").stdout.splitlines()
    assert printed[0] == "preset shopify: 3 of 11 rows are orders that count, 91.28 USD"
    assert "  kept by status: paid 2, partially_refunded 1" in printed
    result = command_line.one_object(command_line.run(*arguments, "--from", "shopify", "--json"))
    reading = result["reading"]
    assert (reading["preset"]["rows_read"], reading["preset"]["orders"]) == (11, 3)
    refused = command_line.run(*arguments)
    assert refused.returncode == 2
    assert "--from shopify" in refused.stderr


def test_amount_none_counts_orders_and_stands_beside_no_option_of_money() -> None:
    assert SourceOptions("visits.csv", amount="none").sources().counts_orders
    assert not SourceOptions("orders.csv").sources().counts_orders
    wrong = (
        SourceOptions("visits.csv", amount="0"),
        SourceOptions("visits.csv", amount="none", column=["amount=total"]),
        SourceOptions("visits.csv", amount="none", preset="stripe"),
    )
    for options in wrong:
        with pytest.raises(errors.BadInput, match="--amount"):
            options.sources()


def test_every_command_that_reads_transactions_can_do_without_amounts() -> None:
    for command in ("check", "train", "score", "explain", "backtest", "tune", "watch"):
        assert "--amount" in command_line.run(command, "--help").stdout, command
