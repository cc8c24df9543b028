"""A comparison of runs as tables: the metrics of each pair of runs, then everything else that differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tiercast.terminal import console, formatting

if TYPE_CHECKING:
    from tiercast.training.comparison.migration import Migration
    from tiercast.training.comparison.side_by_side import Against, Comparison


def print_comparison(comparison: Comparison) -> None:
    """Every table, the caveats, and one sentence per pair of runs."""
    from tiercast.training.comparison import wording

    short = [wording.short(run_id) for run_id in comparison.run_ids]
    for place, against in enumerate(comparison.against, 1):
        _print_differences(comparison, against, place)
        if against.tiers is not None:
            _print_migration(against.tiers, short[0], short[place])
    _print_rows("grades", short, comparison.grades, wording.text)
    _print_rows("customers per tier, value window", short, comparison.tiers, wording.count)
    stability = wording.titled(comparison.stability)
    _print_rows("stability: mean (lowest to highest) over earlier windows", short, stability, wording.spread)
    _print_rows("seconds", short, comparison.seconds, wording.number)
    for title, rows in (("data", comparison.data), ("settings", comparison.settings), ("fitted", comparison.fitted)):
        _print_rows(f"{title} that differ", short, rows, wording.text)
    for text in comparison.caveats:
        console.print_line(f"* {text}")
    for against in comparison.against:
        console.print_line(wording.sentence(against))


def as_plain(data: Any) -> Any:
    """Tables by name instead of tuples by place, for JSON.

    >>> from tiercast.training.evaluation.bootstrap import Metric
    >>> as_plain((Metric(0.8, 0.7, 0.9), None))
    [{'value': 0.8, 'low': 0.7, 'high': 0.9}, None]
    """
    if hasattr(data, "_asdict"):
        return as_plain(data._asdict())
    if isinstance(data, Mapping):
        return {name: as_plain(part) for name, part in data.items()}
    return [as_plain(part) for part in data] if isinstance(data, tuple | list) else data


def _print_differences(comparison: Comparison, against: Against, place: int) -> None:
    from tiercast.training.comparison import wording

    first, other = wording.short(comparison.run_ids[0]), wording.short(against.run_id)
    right = ((name, "right") for name in (first, other, "difference", "95 % interval"))
    rows: list[list[str]] = []
    for heading, names in wording.sections(comparison.metrics).items():
        rows.append([heading, *[""] * 6])
        for name in names:
            title, row = wording.title(name), comparison.metrics[name]
            before, after = (wording.number(metric.value if metric else None) for metric in (row[0], row[place]))
            interval = wording.difference(against.differences.get(name))
            rows.append([f"  {title.name}", before, after, *interval, title.better])
    console.print_table(f"{other} against {first}", [("", "left"), *right, ("", "left"), ("better", "left")], rows)
    for name, words in wording.DISTANCES.items():
        if name in against.differences:
            console.print_line(f"  {wording.title(name).name}: the difference is {words}")
    console.print_line("")


def _print_migration(migration: Migration, first: str, other: str) -> None:
    letters = migration.letters
    rows = [[before, *(f"{n:,}" if (n := migration.customers_of(before, after)) else "–" for after in letters)]
            for before in letters]  # fmt: skip
    columns = [(f"{first}, down", "left"), *((letter, "right") for letter in letters)]
    console.print_table(f"who changes tier ({other}, across)", columns, rows)
    forecast, came = formatting.money(migration.value_at_stake), formatting.money(migration.brought)
    console.print_line(
        f"{migration.changed:,} of {migration.customers:,} customers ({migration.changed_share:.1%}) change tier; "
        f"for them {forecast} was forecast and {came} came."
    )
    console.print_line("")


def _print_rows(title: str, runs: Sequence[str], rows: Mapping[str, Sequence[Any]], format_cell: Any) -> None:
    """A table with one column per run; none where no run has anything to show."""
    if any(cell is not None for cells in rows.values() for cell in cells):
        columns = [("", "left"), *((name, "right") for name in runs)]
        console.print_table(title, columns, [[name, *map(format_cell, cells)] for name, cells in rows.items()])
