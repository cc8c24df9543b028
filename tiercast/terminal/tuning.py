"""A search for better trees as a table: defaults, best trials, importance, and the verdict on the gain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiercast.terminal import console

if TYPE_CHECKING:
    from tiercast.training.tuning.tune import SearchResult

BEST = 5
LOSSES = {"churn": "log loss", "value": "Gini and error"}


def print_search(search: SearchResult) -> None:
    """One model: a table of the best trials beneath the defaults, then the verdict."""
    n_pruned = sum(trial.is_pruned for trial in search.trials)
    days = ", ".join(str(day) for day in search.searched_on)
    trials = f"{len(search.trials)} trials{f', {n_pruned} of them cut short' if n_pruned else ''}"
    title = f"{search.model.capitalize()} ({LOSSES[search.model]}): {trials}, searched on {days}"
    columns = [("trial", "right"), ("gain", "right"), *((name.replace("_", " "), "right") for name in search.defaults)]
    ranked = sorted(zip(search.gains, search.trials, strict=True), key=lambda pair: -pair[0])
    rows = [["as is", "", *(f"{value:g}" for value in search.defaults.values())]]
    for gain, trial in [pair for pair in ranked if not pair[1].is_pruned][:BEST]:
        rows.append([str(trial.number), f"{gain:+.2%}", *(f"{trial.values[name]:g}" for name in search.defaults)])
    console.print_table(title, columns, rows)
    if search.importance:
        console.print_line(
            f"What mattered: {', '.join(f'{name} {share:.0%}' for name, share in search.importance.items())}."
        )
    if search.confirmed is not None:
        others = [
            f"{name} {m.value:+.4f} ({m.low:+.4f} to {m.high:+.4f})" for name, m in search.confirmed.others.items()
        ]
        console.print_line(f"The best trial, on a window not searched on: {', '.join(others)}; + is better.")
    console.print_line(f"{search.verdict}\n")
