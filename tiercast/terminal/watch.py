"""The checks of a model at work: numbered verdicts, drift, old scores per tier, one line for a ticket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tiercast.terminal import console, formatting

if TYPE_CHECKING:
    from tiercast.training.monitoring.drift import Drift
    from tiercast.training.monitoring.outcomes import Outcome, TierOutcome
    from tiercast.training.monitoring.watch import WatchReport

DRIFTED = 12


def print_watch(watched: WatchReport, run: str | None) -> None:
    """The checks, the drift, the closed windows, the open ones, and the line for a ticket."""
    rows = [[check.code, check.level, _title(check.title, check.about), check.measured] for check in watched.checks]
    columns = [("", "left"), ("level", "left"), ("what should be so", "left"), ("measured", "left")]
    console.print_table(
        f"{watched.model}, trained as of {watched.trained_as_of}, watched as of {watched.as_of}", columns, rows
    )
    for check in watched.checks:
        if check.level in ("alarm", "notice"):
            console.print_line(str(check))
    _print_drift(watched.drift)
    for outcome in watched.outcomes:
        _print_outcome(outcome)
    for text in (*watched.waiting, *watched.notes):
        console.print_line(f"* {text}")
    console.print_line(summarize(watched, run))


def summarize(watched: WatchReport, run: str | None) -> str:
    """One sentence for a ticket."""
    counts = {level: [c.code for c in watched.checks if c.level == level] for level in ("alarm", "notice")}
    levels = [f"{len(codes)} {level}{_s(codes)} ({', '.join(codes)})" for level, codes in counts.items() if codes]
    logged = f"; run {run}" if run else ""
    return f"watched as of {watched.as_of}, {len(watched.checks)} checks: {', '.join(levels) or 'all quiet'}{logged}"


def _print_drift(rows: Sequence[Drift]) -> None:
    largest = [row for row in rows if row.psi is not None][:DRIFTED]
    if largest:
        columns = [
            ("number", "left"),
            *((name, "right") for name in ("PSI", "chance", "mean then", "now", "missing then", "now")),
        ]
        lines = [[row.name, *_numbers(row), "a clock" if row.is_clock else row.level] for row in largest]
        console.print_table(f"Drift, the largest {len(largest)} of {len(rows)}", [*columns, ("", "left")], lines)


def _numbers(row: Drift) -> list[str]:
    means = [f"{mean:,.3g}" if mean is not None else "–" for mean in (row.mean_then, row.mean_now)]
    return [f"{row.psi:.3f}", f"{row.limit:.3f}", *means, f"{row.missing_then:.1%}", f"{row.missing_now:.1%}"]


def _print_outcome(outcome: Outcome) -> None:
    names = ("customers", "risk", "left", "value", "came", "above the top")
    columns = [("tier", "left"), *((name, "right") for name in names)]
    title = f"What became of the {outcome.window.name}: {outcome.n:,} customers"
    console.print_table(title, columns, [_tier(row) for row in outcome.tiers])


def _tier(row: TierOutcome) -> list[str]:
    percent, money = formatting.percent, formatting.money
    risk, worth = (percent(row.p_churn), percent(row.churned)), (money(row.value), money(row.realised))
    return [row.tier, f"{row.customers:,}", *risk, *worth, percent(row.above)]


def _title(title: str, about: str) -> str:
    return f"{title} ({about})" if about else title


def _s(codes: Sequence[str]) -> str:
    return "" if len(codes) == 1 else "s"
