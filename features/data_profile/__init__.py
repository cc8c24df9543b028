"""What was read, in the terms of a shop: totals, months, and what looks like a misreading.

A file can be read without an error and mean something else: a placeholder that becomes the best customer, an order's
total on each of its lines, one date of 2033. A human sees that at once, if the numbers are shown.
"""

from __future__ import annotations

from typing import NamedTuple

from tiercast.features.data_profile import amounts, dates, ids, shape, summary
from tiercast.features.data_profile.findings import Finding
from tiercast.features.data_profile.summary import Summary
from tiercast.features.engines import Engine
from tiercast.features.tables import Tables


class Profile(NamedTuple):
    """The numbers, and what to look at."""

    summary: Summary
    findings: tuple[Finding, ...]

    def as_dict(self) -> dict[str, object]:
        """Only numbers, texts, lists and dictionaries, ready for JSON."""
        return {**self.summary.as_dict(), "findings": [finding._asdict() for finding in self.findings]}


def profile(engine: Engine, tables: Tables) -> Profile:
    """Count the transactions known before `as_of`; a few passes over them, and none over their customers' features."""
    counted = summary.count(engine, tables.transactions)
    found = [
        *ids.find(engine, tables),
        *amounts.find(engine, tables.transactions, counted),
        *shape.find(counted),
        *dates.find(engine, tables.transactions, counted),
    ]
    return Profile(counted, tuple(found))
