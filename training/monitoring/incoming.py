"""What came in, day by day: how fresh it is, and whether it is as much as usual.

The gap since the newest row is compared with the gaps between days with rows in the year before. Volumes are compared
period against period, a week or four weeks each, ending on as_of: the newest step (this week over last week) beside
the earlier ones, by their median and median absolute deviation, so that neither a steady trend nor one odd week hides
or makes an alarm. Chance alone moves a count too: no spread is taken to be smaller than that of independent orders. A
step is unusual from 3.5 robust standard deviations on (Iglewicz & Hoaglin 1993, "How to detect and handle outliers");
it is a notice where it is also a fifth off the usual step, an alarm where it is half or double.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

import ibis
import numpy as np
from numpy.typing import NDArray

from tiercast.contract.periods import YEAR_DAYS
from tiercast.contract.vectors import Vector
from tiercast.features import exact, orders
from tiercast.features.engines import Engine
from tiercast.training.monitoring.checks import Check, Level, worst

PERIODS = {7: 26, 28: 13}
"""How many periods of each length are looked at: half a year of weeks, a year of four weeks."""
LEAST_STEPS = 4
UNUSUAL = 3.5
NOTICE_OFF, ALARM_OFF = float(np.log(1.2)), float(np.log(2.0))
TO_DEVIATION = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation."""
MEASURES = ("rows", "orders", "money", "new_customers")
DROPPED_NOTICE, DROPPED_ALARM = 0.01, 0.05


class Daily(NamedTuple):
    """One entry per calendar day from the first to the day before as_of; `active` are days with a row."""

    as_of: dt.date
    columns: dict[str, Vector]

    @property
    def active(self) -> NDArray[np.bool_]:
        return self.columns["rows"] > 0


class Step(NamedTuple):
    """The newest period of `days` days beside the one before: counts, or money.

    `usual` is the median of the earlier steps, as a factor; `low` and `high` are what would still be usual. Without
    enough history they are None.
    """

    measure: str
    days: int
    before: float
    now: float
    usual: float | None
    low: float | None
    high: float | None
    level: Level


def daily(engine: Engine, transactions: ibis.Table, span: tuple[dt.date, dt.date]) -> Daily:
    """Rows, orders, money and new customers per day; `span` is the first known day and as_of."""
    t = transactions
    rows = t.group_by(day=exact.day_number(t.ordered_on)).aggregate(rows=t.count(), money=exact.total(t.money))
    bought = orders.daily(t).filter(ibis._.is_order)
    ordered = bought.group_by("day").aggregate(orders=bought.count())
    firsts = bought.group_by("customer_id").aggregate(day=bought.day.min())
    new = firsts.group_by("day").aggregate(new_customers=firsts.count())
    first, end = (exact.day_of(day) for day in span)
    columns = {name: np.zeros(end - first) for name in MEASURES}
    for table in (rows, ordered, new):
        found = engine.con.to_pyarrow(table).to_pydict()
        at = np.array(found.pop("day"), dtype=np.int64) - first
        for name, cells in found.items():
            columns[name][at] = np.array(cells, dtype=np.float64)
    return Daily(span[1], columns)


def freshness(found: Daily) -> Check:
    """W4: how long ago the newest row is, beside the longest pause in the year before it."""
    places = np.flatnonzero(found.active)
    age = len(found.active) - int(places[-1])
    gaps = np.diff(places[places > places[-1] - YEAR_DAYS])
    longest = int(gaps.max()) if len(gaps) else 1
    level: Level = "quiet" if age <= longest else "notice" if age <= 2 * longest else "alarm"
    measured = f"newest row {_days(age)} before as_of"
    return Check(
        "W4", level, measured, f"at most {_days(longest)}, the longest pause in a year; alarm from {2 * longest + 1}"
    )


def steps(found: Daily) -> list[Step]:
    """Every measure over 7 and over 28 days."""
    return [_step(found.columns, measure, days) for days in PERIODS for measure in MEASURES]


def volume(rows: list[Step]) -> Check:
    """W5: over all measures and both lengths."""
    known = [row for row in rows if row.usual is not None]
    required = "steps within what is usual, or less than a fifth off"
    if not known:
        return Check("W5", "unknown", "history holds too few periods of 7 and 28 days", required)
    odd = [row for row in known if row.level != "quiet"]
    level = worst(row.level for row in known)
    text = ", ".join(_describe(row) for row in odd if row.level == level)
    return Check("W5", level, text or _describe(known[0]), required)


def dropped(known: int, now: Mapping[str, int], then: Mapping[str, Any] | None) -> Check:
    """W6: the share of rows that cannot be used, beside the share at training where the bundle knows it."""
    share = sum(now.values()) / known
    before = sum(then["dropped"].values()) / then["known"] if then else 0.0
    more = share - before
    level: Level = "alarm" if more > DROPPED_ALARM else "notice" if more > DROPPED_NOTICE else "quiet"
    reasons = ", ".join(f"{n:,} {code}" for code, n in sorted(now.items(), key=lambda pair: (-pair[1], pair[0])) if n)
    measured = f"{share:.2%} of {known:,} rows dropped" + (f" ({reasons})" if reasons else "")
    since = f"{before:.2%} at training" if then else "nothing, as the bundle does not know"
    return Check(
        "W6", level, measured, f"at most {DROPPED_NOTICE:.0%} more than {since}; alarm from {DROPPED_ALARM:.0%}"
    )


def _step(columns: dict[str, Vector], measure: str, days: int) -> Step:
    sums = _periods(columns[measure], days)
    before, now = np.append(np.zeros(2), sums)[-2:].tolist()
    if len(sums) < LEAST_STEPS + 2:
        return Step(measure, days, before, now, None, None, None, "unknown")
    *earlier, newest = np.diff(np.log(np.maximum(sums, 0.0) + _nothing(measure, sums))).tolist()
    usual = float(np.median(earlier))
    events = sums if measure == "new_customers" else _periods(columns["orders"], days)
    chance = float(np.sqrt(np.sum(1 / np.maximum(events[-2:], 1.0))))
    spread = UNUSUAL * max(TO_DEVIATION * float(np.median(np.abs(np.array(earlier) - usual))), chance)
    off = abs(newest - usual)
    level: Level = "quiet" if off <= max(spread, NOTICE_OFF) else "alarm" if off >= ALARM_OFF else "notice"
    factors = np.exp(np.array([usual, usual - spread, usual + spread])).tolist()
    return Step(measure, days, before, now, factors[0], factors[1], factors[2], level)


def _periods(column: Vector, days: int) -> Vector:
    """Sums over periods that end on as_of, oldest first; days that fill no period are left out."""
    most = min(len(column) // days, PERIODS[days])
    return np.asarray(column[len(column) - most * days :].reshape(most, days).sum(axis=1))


def _nothing(measure: str, sums: Vector) -> float:
    """What an empty period counts as in a logarithm: half an order; of money, a thousandth of the usual."""
    return 0.5 if measure != "money" else max(float(np.median(sums)) / 1000, 1e-9)


def _describe(row: Step) -> str:
    factor = row.now / row.before if row.before else float("inf")
    came = f"{row.measure.replace('_', ' ')} of {row.days} days {row.before:,.0f} → {row.now:,.0f}"
    return f"{came}, factor {factor:.2f}, usually {row.usual:.2f} ({row.low:.2f} to {row.high:.2f})"


def _days(n: int) -> str:
    return f"{n:,} day{'' if n == 1 else 's'}"
