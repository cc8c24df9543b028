"""Do today's customers look like those the bundle learned from?

The population stability index compares the shares of customers in the bins of a reference, p then and q now:

    PSI = sum (q - p) log(q / p)

Without drift it is not 0 but about (1/n + 1/m) times a chi-square with one degree of freedom less than bins (Yurdakul
2018, "Statistical properties of population stability index", Western Michigan University, dissertation 3208), n and m
being the customers then and now. With many customers the smallest change exceeds that; with few, luck exceeds any fixed
mark. So an alarm needs both: PSI of 0.2 or more, and more than chance allows. The bound is drawn so that over
all numbers of a watch together chance exceeds it once in a hundred (Bonferroni). It holds for two samples of different
customers; mostly the same ones on two days differ less, so that it errs towards silence.

Time alone moves some features. Everybody grows older by a day per day: ages are compared after taking those days off,
among customers who were there. How long ago somebody last ordered cannot be undone like that: such clocks are shown
and not judged, or a base without newcomers would alarm every night. Where ageing matters, risk and value drift too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy import special

from tiercast.contract.vectors import Vector
from tiercast.models import reference
from tiercast.models.reference import Counted, Reference
from tiercast.training.fit.references import P_CHURN, VALUE
from tiercast.training.monitoring.checks import Check, Level

ALARM, NOTICE = 0.2, 0.1
"""By custom 0.1 is a change to watch and 0.2 or 0.25 one to act on (Yurdakul 2018, chapter 1); ours is the stricter."""
CHANCE = 0.01
AGES = ("age_days", "tenure_days")
CLOCKS = ("silence_days", "silence_over_gap")
CLOCK_ENDING = "_last_days"
NAMED = 3


class Drift(NamedTuple):
    """One number's drift. `psi` is None where the bundle holds nothing to compare with; `limit` is what chance allows.

    Means are over customers with the number, shares in [0, 1] of those without it, then and now.
    """

    name: str
    psi: float | None
    limit: float
    mean_then: float | None
    mean_now: float | None
    missing_then: float
    missing_now: float
    is_clock: bool
    level: Level


def psi(then: Counted, now: Counted) -> float:
    """The index over all bins, one for customers without the number among them. An empty bin counts as half a customer.

    >>> then, now = (Counted(np.array(counts), 0) for counts in ([50, 50], [75, 25]))
    >>> round(psi(then, now), 4)                # 0.25 ln(1.5) - 0.25 ln(0.5) = 0.25 ln 3
    0.2747
    """
    p, q = (np.maximum(cells, 0.5) / cells.sum() for cells in _cells(then, now))
    return float(np.sum((q - p) * np.log(q / p)))


def limit(then: Counted, now: Counted, chance: float = CHANCE) -> float:
    """What the index stays below without drift, but for this chance.

    >>> then, now = (Counted(np.array([50, 50]), 0) for _ in range(2))
    >>> round(limit(then, now, 0.05), 4)        # (1/100 + 1/100) times 3.8415, chi-square's 95 % mark
    0.0768
    """
    p, q = _cells(then, now)
    if len(p) < 2:
        return 0.0
    return float(special.chdtri(len(p) - 1, chance) * (1 / p.sum() + 1 / q.sum()))


def is_clock(name: str) -> bool:
    """Whether the number changes with the calendar alone, without a new row.

    >>> is_clock("silence_days"), is_clock("visit_last_days"), is_clock("gap_last_days"), is_clock("spend_total")
    (True, True, False, False)
    """
    return name in CLOCKS or (name.endswith(CLOCK_ENDING) and name != "gap_last_days")


def counted(
    references: Mapping[str, Reference], columns: Mapping[str, Vector], elapsed_days: int
) -> dict[str, Counted]:
    """Some customers' numbers in the bins of their references; ages as they were `elapsed_days` ago."""
    found = {}
    for name, each in references.items():
        if each.counts and name in columns:
            column = columns[name]
            aged = column[np.isnan(column) | (column > elapsed_days)] - elapsed_days if name in AGES else column
            found[name] = reference.count(each, aged)
    return found


def add(one: dict[str, Counted], other: dict[str, Counted]) -> dict[str, Counted]:
    """The counts of two groups of customers together."""
    return {name: _sum(one[name], each) if name in one else each for name, each in other.items()}


def measure(references: Mapping[str, Reference], today: Mapping[str, Counted], names: tuple[str, ...]) -> list[Drift]:
    """Every number's drift, the largest first; those without a reference last."""
    chance = CHANCE / max(len(today), 1)
    rows = [_drift(name, references.get(name), today.get(name), chance) for name in names]
    return sorted(rows, key=lambda row: (row.psi is None, -(row.psi or 0.0), row.name))


def judge(rows: list[Drift]) -> list[Check]:
    """W1 to W3."""
    scores = {row.name: row for row in rows if row.name in (P_CHURN, VALUE)}
    features = [row for row in rows if row.name not in scores]
    return [_features(features), _score("W2", scores[P_CHURN]), _score("W3", scores[VALUE])]


def _drift(name: str, then: Reference | None, now: Counted | None, chance: float) -> Drift:
    if then is None or now is None or not then.n or not _size(now):
        return Drift(name, None, 0.0, None, None, 0.0, 0.0, is_clock(name), "unknown")
    before = Counted(np.array(then.counts), then.missing)
    index, most = psi(before, now), limit(before, now, chance)
    is_quiet = is_clock(name) or index <= most or index < NOTICE
    level: Level = "quiet" if is_quiet else "alarm" if index >= ALARM else "notice"
    shares = then.missing / then.n, now.missing / _size(now)
    return Drift(name, index, most, then.mean, now.mean, shares[0], shares[1], is_clock(name), level)


def _features(rows: list[Drift]) -> Check:
    known = [row for row in rows if row.psi is not None and not row.is_clock]
    required = f"none with PSI {ALARM:g} or more beyond chance"
    if not known:
        return Check("W1", "unknown", "the bundle holds no reference", required)
    moved = {level: [row for row in known if row.level == level] for level in ("alarm", "notice")}
    level: Level = "alarm" if moved["alarm"] else "notice" if moved["notice"] else "quiet"
    listed = moved["alarm"] or moved["notice"] or known[:1]
    worst = ", ".join(f"{row.name} {row.psi:.2f}" for row in listed[:NAMED])
    most = "most: " if level == "quiet" else ""
    counted = f"{len(moved['alarm'])} of {len(known)} features drifted"
    return Check("W1", level, f"{counted} ({most}{worst}{', …' if len(listed) > NAMED else ''})", required)


def _score(code: str, row: Drift) -> Check:
    if row.psi is None:
        return Check(code, "unknown", "the bundle holds no reference", f"PSI below {ALARM:g}")
    means = "" if row.mean_then is None or row.mean_now is None else f", mean {row.mean_then:.3g} → {row.mean_now:.3g}"
    required = f"below {ALARM:g}, or within {row.limit:.3f}, which chance allows"
    return Check(code, row.level, f"PSI {row.psi:.3f}{means}", required)


def _cells(then: Counted, now: Counted) -> tuple[Vector, Vector]:
    """Customers per bin; a bin for the missing where there are any; no bin that is empty on both days."""
    p, q = (np.append(each.counts, each.missing).astype(np.float64) for each in (then, now))
    is_used = (p > 0) | (q > 0)
    return p[is_used], q[is_used]


def _sum(one: Counted, other: Counted) -> Counted:
    return Counted(one.counts + other.counts, one.missing + other.missing, one.total + other.total)


def _size(counts: Counted) -> int:
    return int(counts.counts.sum()) + counts.missing
