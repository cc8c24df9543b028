"""The rolling benchmark as Markdown: counts of worse and better first, then every day."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from benchmarks.rolling.against import BETTER, OF_CHURN, OF_VALUE, WORSE, Comparison
from benchmarks.rolling.measure import Day

MEASURES = (*OF_CHURN, *OF_VALUE)
DIGITS = {"AUC": 3, "Brier": 4, "ECE": 3, "nGini": 3, "MAE": 2, "total": 3}


def markdown(days: Sequence[Day], missing: Sequence[str]) -> list[str]:
    """Counts per kind of set, the mean and spread per set, every day's verdicts, and the ranges."""
    return [
        "### Worse and better than the best plain rule, beyond noise",
        "",
        *_counts(days),
        "",
        "### Each set over its days",
        "",
        *_sets(days),
        "",
        "### Each day",
        "",
        *_each(days),
        "",
        "### Ranges",
        "",
        *_ranges(days),
        *(f"\n{sentence}" for sentence in missing),
    ]


def counts(days: Sequence[Day], measure: str) -> tuple[int, int, int]:
    """On how many days the measure is worse than the best rule and better, beyond noise, and on how many it exists."""
    found = [comparison for day in days if np.isfinite((comparison := _of(day, measure)).ours)]
    verdicts = [comparison.verdict for comparison in found]
    return verdicts.count(WORSE), verdicts.count(BETTER), len(found)


def _counts(days: Sequence[Day]) -> list[str]:
    kinds = {
        "known sets": [day for day in days if day.case.is_known],
        "simulated worlds": [day for day in days if not day.case.is_known],
        "all": list(days),
    }
    rows = [
        f"| {name} | {len(some)} | {' | '.join(_count(some, measure) for measure in MEASURES)} |"
        for name, some in kinds.items()
        if some
    ]
    return [f"| worse / better | days | {' | '.join(MEASURES)} |", "|---|--:|" + "--:|" * len(MEASURES), *rows]


def _count(days: Sequence[Day], measure: str) -> str:
    worse, better, _ = counts(days, measure)
    return f"{worse} / {better}"


def _sets(days: Sequence[Day]) -> list[str]:
    """Per set the mean gain over the best rule, with its smallest and largest day, and the rule that was best most."""
    head = f"| mean gain (least to most) | days | {' | '.join(MEASURES)} |"
    rows = [
        f"| {title} | {len(some)} | {' | '.join(_spread(some, measure) for measure in MEASURES)} |"
        for title, some in _by_set(days)
    ]
    return [head, "|---|--:|" + "--:|" * len(MEASURES), *rows]


def _spread(days: Sequence[Day], measure: str) -> str:
    gains = np.array([_of(day, measure).gain.value for day in days])
    digits = DIGITS[measure]
    return f"{gains.mean():+.{digits}f} ({gains.min():+.{digits}f} to {gains.max():+.{digits}f})"


def _each(days: Sequence[Day]) -> list[str]:
    head = f"| ours (best rule), **worse**, *better* | customers | {' | '.join(MEASURES)} |"
    rows = [
        f"| {day.case.title}, {day.as_of} | {day.n_customers:,} | "
        f"{' | '.join(_cell(_of(day, measure)) for measure in MEASURES)} |"
        for day in days
    ]
    return [head, "|---|--:|" + "--:|" * len(MEASURES), *rows]


def _cell(found: Comparison) -> str:
    digits = DIGITS[found.measure]
    mark = {WORSE: "**", BETTER: "*"}.get(found.verdict, "")
    return f"{mark}{found.ours:.{digits}f}{mark} ({found.best} {found.rules[found.best]:.{digits}f})"


def _ranges(days: Sequence[Day]) -> list[str]:
    head = "| | above the top | below the floor | more than nothing despite [0, 0] | score | naive score |"
    rows = [
        f"| {day.case.title}, {day.as_of} | {_share(s.above, s.n_above)} | {_share(s.below, s.n_below)} | "
        f"{_share(s.despite, s.n_despite)} | {day.score:.2f} | {_money(day.naive_score)} |"
        for day in days
        for s in [day.shares]
    ]
    return [head, "|---|--:|--:|--:|--:|--:|", *rows]


def _money(number: float) -> str:
    """
    >>> _money(4.361), _money(float("nan"))
    ('4.36', '–')
    """
    return f"{number:.2f}" if np.isfinite(number) else "–"


def _share(share: float | None, n: int) -> str:
    """
    >>> _share(0.1234, 1200), _share(None, 0)
    ('12.3 % of 1,200', 'nobody')
    """
    return "nobody" if share is None else f"{100 * share:.1f} % of {n:,}"


def _of(day: Day, measure: str) -> Comparison:
    return next(comparison for comparison in day.comparisons if comparison.measure == measure)


def _by_set(days: Sequence[Day]) -> list[tuple[str, list[Day]]]:
    return [(title, list(some)) for title, some in itertools.groupby(days, key=lambda day: day.case.title)]
