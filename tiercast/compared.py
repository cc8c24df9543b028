"""What a person sees of a comparison: the numbers of each pair of runs, then whatever else differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tiercast import say

if TYPE_CHECKING:
    from tiercast.training.comparison.migration import Migration
    from tiercast.training.comparison.side_by_side import Against, Comparison


def show(found: Comparison) -> None:
    """The whole comparison on the screen."""
    from tiercast.training.comparison import wording

    short = [wording.short(run_id) for run_id in found.run_ids]
    for place, against in enumerate(found.against, 1):
        _differences(found, against, place)
        if against.tiers is not None:
            _tiers(against.tiers, short[0], short[place])
    _rows("grades", short, found.grades, wording.text)
    _rows("customers per tier, value window", short, found.tiers, wording.count)
    stability = wording.titled(found.stability)
    _rows("stability: mean (lowest to highest) over earlier windows", short, stability, wording.spread)
    _rows("seconds", short, found.seconds, wording.number)
    for title, rows in (("data", found.data), ("settings", found.settings), ("fitted", found.fitted)):
        _rows(f"{title} that differ", short, rows, wording.text)
    for text in found.caveats:
        say.line(f"* {text}")
    for against in found.against:
        say.line(wording.sentence(against))


def as_plain(found: Any) -> Any:
    """Tables by name instead of tuples by place, for JSON.

    >>> from tiercast.training.evaluation.bootstrap import Metric
    >>> as_plain((Metric(0.8, 0.7, 0.9), None))
    [{'value': 0.8, 'low': 0.7, 'high': 0.9}, None]
    """
    if hasattr(found, "_asdict"):
        return as_plain(found._asdict())
    if isinstance(found, Mapping):
        return {name: as_plain(part) for name, part in found.items()}
    return [as_plain(part) for part in found] if isinstance(found, tuple | list) else found


def _differences(found: Comparison, against: Against, place: int) -> None:
    from tiercast.training.comparison import wording

    first, other = wording.short(found.run_ids[0]), wording.short(against.run_id)
    right = ((name, "right") for name in (first, other, "difference", "95 % interval"))
    rows: list[list[str]] = []
    for heading, names in wording.sections(found.metrics).items():
        rows.append([heading, *[""] * 6])
        for name in names:
            title, row = wording.title(name), found.metrics[name]
            before, after = (wording.number(metric.value if metric else None) for metric in (row[0], row[place]))
            told = wording.difference(against.differences.get(name))
            rows.append([f"  {title.name}", before, after, *told, title.better])
    say.table(f"{other} against {first}", [("", "left"), *right, ("", "left"), ("better", "left")], rows)
    for name, words in wording.DISTANCES.items():
        if name in against.differences:
            say.line(f"  {wording.title(name).name}: the difference is {words}")
    say.line("")


def _tiers(found: Migration, first: str, other: str) -> None:
    letters = found.letters
    rows = [[before, *(f"{n:,}" if (n := found.customers_of(before, after)) else "–" for after in letters)]
            for before in letters]  # fmt: skip
    columns = [(f"{first}, down", "left"), *((letter, "right") for letter in letters)]
    say.table(f"who changes tier ({other}, across)", columns, rows)
    say.line(
        f"{found.changed:,} of {found.customers:,} customers ({found.changed_share:.1%}) change tier; for them "
        f"{say.money(found.value_at_stake)} was forecast and {say.money(found.brought)} came."
    )
    say.line("")


def _rows(title: str, runs: Sequence[str], rows: Mapping[str, Sequence[Any]], word: Any) -> None:
    """A table with one column per run; none where no run has anything to show."""
    if any(cell is not None for cells in rows.values() for cell in cells):
        columns = [("", "left"), *((name, "right") for name in runs)]
        say.table(title, columns, [[name, *map(word, cells)] for name, cells in rows.items()])
