"""Tables that are no transactions."""

from __future__ import annotations

from collections.abc import Iterator

from tiercast.features.data_profile.findings import Finding
from tiercast.features.data_profile.summary import Summary

LEAST_CUSTOMERS = 20


def find(counted: Summary) -> Iterator[Finding]:
    """Findings about the table as a whole."""
    if counted.customers >= LEAST_CUSTOMERS and counted.rows == counted.customers:
        yield Finding(
            "one_row_per_customer",
            f"each of {counted.customers:,} customers has exactly one row",
            "if this is a table of customers or of totals, pass the purchases themselves, one row each",
        )
