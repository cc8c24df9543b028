"""Missing columns: all in one error, each with likely names, as a command that is ready to run."""

from __future__ import annotations

import pathlib

import pytest

from tests.read_tables import refusal
from tiercast.contract import errors


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("InvoiceNo,InvoiceDate,UnitPrice,Customer ID,Total", ("'customer_id=Customer ID'", "InvoiceDate", "Total")),
        ("client;when_;Betrag;Datum", ("customer_id=client", "ordered_at=Datum", "amount=Betrag")),
        ("user_id,created_at,price", ("customer_id=user_id", "ordered_at=created_at", "amount=price")),
        ("会员编号,日期,金额", ("customer_id=会员编号", "ordered_at=日期", "amount=金额")),
        ("household_key,day,sales_value,store", ("customer_id=household_key", "ordered_at=day", "amount=sales_value")),
        ("CUSTOMER_ID,ORDERED_AT,AMOUNT", ("customer_id=CUSTOMER_ID", "ordered_at=ORDERED_AT", "amount=AMOUNT")),
    ],
)  # fmt: skip
def test_a_file_with_other_names_is_refused_with_the_command_that_reads_it(
    tmp_path: pathlib.Path, header: str, names: tuple[str, ...]
) -> None:
    path = tmp_path / "my orders.csv"
    path.write_text(header + "\n" + header + "\n", encoding="utf-8")
    error = refusal(errors.MissingColumn, str(path))
    assert (error.count, error.unit) == (3, "columns")
    assert error.hint.startswith(f"tiercast check '{path}' --column ")
    assert all(name in error.hint for name in names), error.hint


def test_no_column_is_proposed_twice(tmp_path: pathlib.Path) -> None:
    (tmp_path / "orders.csv").write_text("date,x,y\n1,2,3\n")
    assert refusal(errors.MissingColumn, str(tmp_path / "orders.csv")).hint.count("date") == 1
