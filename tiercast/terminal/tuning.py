"""A search for better trees as a table: defaults, best trials, importance, and the verdict on the gain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiercast.terminal import console

if TYPE_CHECKING:
    from tiercast.training.tuning.tune import SearchResult

BEST = 5
LOSSES = {"churn": "log loss", "value": "Gini and error"}


def print_search(found: SearchResult) -> None:
    """One model: a table of the best trials beneath the defaults, then the verdict."""
    cut = sum(trial.is_pruned for trial in found.trials)
    days = ", ".join(str(day) for day in found.searched_on)
    short = f", {cut} of them cut short" if cut else ""
    title = f"{found.model.capitalize()} ({LOSSES[found.model]}): {len(found.trials)} trials{short}, searched on {days}"
    columns = [("trial", "right"), ("gain", "right"), *((name.replace("_", " "), "right") for name in found.defaults)]
    ranked = sorted(zip(found.gains, found.trials, strict=True), key=lambda pair: -pair[0])
    rows = [["as is", "", *(f"{value:g}" for value in found.defaults.values())]]
    for gain, trial in [pair for pair in ranked if not pair[1].is_pruned][:BEST]:
        rows.append([str(trial.number), f"{gain:+.2%}", *(f"{trial.values[name]:g}" for name in found.defaults)])
    console.print_table(title, columns, rows)
    if found.importance:
        console.print_line(
            f"What mattered: {', '.join(f'{name} {share:.0%}' for name, share in found.importance.items())}."
        )
    if found.confirmed is not None:
        others = [
            f"{name} {m.value:+.4f} ({m.low:+.4f} to {m.high:+.4f})" for name, m in found.confirmed.others.items()
        ]
        console.print_line(f"The best trial, on a window not searched on: {', '.join(others)}; + is better.")
    console.print_line(f"{found.verdict}\n")
