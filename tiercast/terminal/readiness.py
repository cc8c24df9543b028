"""What the data are enough for, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiercast.terminal import console

if TYPE_CHECKING:
    from tiercast.training.check.readiness import Readiness


def print_readiness(readiness: Readiness) -> None:
    """The verdict on each capability with its measurements, then the notes."""
    rows = [[each.name, each.verdict, each.sentence] for each in readiness.capabilities()[:-1]]
    rows.append(["tiers", readiness.tiers.verdict, "as churn and value are"])
    columns = [("capability", "left"), ("verdict", "left"), ("measured", "left")]
    console.print_table("Is this enough?", columns, rows)
    for text in readiness.notes:
        console.print_line(f"* {text}")
