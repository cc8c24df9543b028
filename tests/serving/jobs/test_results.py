from __future__ import annotations

from pathlib import Path

import pytest

from tiercast.contract import errors
from tiercast.serving.jobs import results
from tiercast.serving.jobs.sources import ConfiguredSource

SHOP = ConfiguredSource(transactions="/data/shop/orders.csv", customers="/data/shop", out="/scores/shop.parquet")


@pytest.mark.parametrize(
    ("error", "message", "hint", "first"),
    [
        (
            errors.WrongType("a date cannot be read", count=3, total=9, first="customer_id=c-00917", hint="mend it"),
            "a date cannot be read", "mend it", None,
        ),
        (
            errors.SourceUnreadable("there is no such file", first="/data/shop/orders.csv", hint="see /data/shop"),
            "there is no such file", "see sources.shop.customers", "sources.shop.transactions",
        ),
        (
            errors.CannotWrite("disk full", first="/scores/shop.parquet", hint="free some"),
            "disk full", "free some", "sources.shop.out",
        ),
    ],
)  # fmt: skip
def test_an_error_names_a_key_of_the_jobs_file_and_neither_a_row_nor_a_path(
    error: errors.TiercastError, message: str, hint: str, first: str | None
) -> None:
    shown = results.from_error(error, "shop", SHOP)
    assert (shown["code"], shown["count"], shown["total"]) == (type(error).__name__, error.count, error.total)
    assert (shown["message"], shown["hint"], shown["first"]) == (message, hint, first)


def test_a_fault_is_described_by_its_type_only() -> None:
    shown = results.internal_error(ValueError("c-00917 is odd"), "job_00000000000000aa")
    assert "c-00917" not in str(shown)
    assert "ValueError" in shown["message"]
    assert "job_00000000000000aa" in shown["hint"]


def test_an_error_before_the_source_was_read_is_described_without_its_first_offender() -> None:
    error = errors.BadInput("the jobs file cannot be read", first=str(Path("/etc/jobs.toml")), hint="look at it")
    assert results.from_error(error, "shop", None)["first"] is None
