"""Old scores against what happened: every window that has closed since, beside what the holdout promised.

A metric counts as worse only beyond noise: where it differs from the holdout's by more than the root sum of squares of
the half widths of their 95 % intervals. That is a notice. An alarm also misses a limit: the calibration error and the
bias of the gates, five points of AUC or Gini, or tops that five points more customers pass than promised.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from tiercast.contract import errors
from tiercast.contract.scores import INTERVAL_TAIL
from tiercast.contract.vectors import Vector
from tiercast.features import labels
from tiercast.features.engines import Engine
from tiercast.features.reading.score_reader import ScoreFile
from tiercast.features.tables import Tables
from tiercast.tiers import grid
from tiercast.training.evaluation import ranges, scorecard
from tiercast.training.evaluation.bootstrap import Metric
from tiercast.training.evaluation.ranges import RangeCard
from tiercast.training.judge.holdout import MODEL
from tiercast.training.judge.limits import LIMITS
from tiercast.training.monitoring.checks import Check, Level

NEEDED = ("tier", "p_churn", "value", "value_low", "value_high")
TOO_MANY = 0.05
LESS_SKILL = 0.05


class ClosedWindow(NamedTuple):
    """Scores of one day and when their windows are over; `is_closed` for churn and for value."""

    scores: ScoreFile
    is_closed: tuple[bool, bool]

    @property
    def name(self) -> str:
        return f"scores of {self.scores.as_of}"

    def waits(self) -> list[str]:
        """The windows that are still open, and their ends."""
        pairs = zip(("churn", "value"), self.is_closed, self.scores.ends(), strict=True)
        return [f"{self.name}: the {name} window closes on {end}" for name, closed, end in pairs if not closed]


class TierOutcome(NamedTuple):
    """One tier of the old scores: forecasts and outcomes. An outcome is None while its window is open."""

    tier: str
    customers: int
    p_churn: float | None
    churned: float | None
    value: float | None
    realised: float | None
    above: float | None


class Outcome(NamedTuple):
    """One score file against what happened. Cards are None while their window is open.

    `n` customers were scored and can be judged; `n_unknown` of the file are buyers no more in the data; `n_unscored`
    had ordered by then and are not in the file. `level` is mean stated risk less the share that left.
    """

    window: ClosedWindow
    n: int
    n_unknown: int
    n_unscored: int
    churn: dict[str, Metric] | None
    level: float | None
    value: dict[str, Metric] | None
    intervals: RangeCard | None
    tiers: tuple[TierOutcome, ...]
    pairs: tuple[Vector, Vector] | None
    checks: tuple[Check, ...]


def window(scores: ScoreFile, as_of: dt.date) -> ClosedWindow:
    """Which windows are over when everything before `as_of` is known."""
    churn_end, value_end = scores.ends()
    return ClosedWindow(scores, (churn_end <= as_of, value_end <= as_of))


def measure(
    engine: Engine, tables: Tables, found: ClosedWindow, card: Mapping[str, Any], *, draws: int = 200, seed: int = 7
) -> Outcome:
    """The scores of one day against the orders that followed. `card` is the bundle's scorecard."""
    rows, n_unknown, n_unscored = _joined(engine, tables, found.scores)
    if not rows.num_rows:
        what = "none of the scored customers had ordered before that day in these transactions"
        raise errors.BadInput(what, first=found.scores.path, hint="pass the transactions that the scores came from")
    columns = {name: _numbers(rows, name) for name in ("p_churn", "value", "value_low", "value_high")}
    churned, realised = _numbers(rows, "churned"), _numbers(rows, "realised")
    tiers = rows["tier"].to_numpy(zero_copy_only=False).astype("<U1")
    churn_over, value_over = found.is_closed
    churn = scorecard.churn_card(columns["p_churn"], churned, draws, seed) if churn_over else None
    value = scorecard.value_card(columns["value"], realised, draws, seed) if value_over else None
    low, high = columns["value_low"], columns["value_high"]
    intervals = ranges.card(low, high, realised, tiers) if value_over else None
    pairs = (columns["p_churn"], churned) if churn_over else None, (columns["value"], realised) if value_over else None
    checks = (*_of_churn(found, churn, card), *_of_value(found, value, intervals, card))
    level = float(np.mean(columns["p_churn"] - churned)) if churn_over else None
    per_tier = _per_tier(tiers, *pairs, intervals)
    return Outcome(found, len(tiers), n_unknown, n_unscored, churn, level, value, intervals, per_tier, pairs[0], checks)


def _joined(engine: Engine, tables: Tables, scores: ScoreFile) -> tuple[pa.Table, int, int]:
    """The scored buyers with their outcomes, how many of the file are missing here, how many not in the file."""
    happened = labels.labels(tables, scores.as_of, scores.churn_days, scores.value_days)
    happened = happened.select(who="customer_id", churned="churned", realised="value")
    judged = scores.table.filter(scores.table.p_churn.notnull()).select("customer_id", *NEEDED)
    both = judged.outer_join(happened, judged.customer_id == happened.who)
    stored = engine.store("outcomes", both)
    n_unknown, n_unscored = (stored.filter(stored[name].isnull()).count() for name in ("who", "customer_id"))
    rows = stored.filter(stored.who.notnull() & stored.customer_id.notnull()).order_by("customer_id")
    counted = [int(engine.con.to_pyarrow(count).as_py()) for count in (n_unknown, n_unscored)]
    return engine.con.to_pyarrow(rows.drop("customer_id", "who")), counted[0], counted[1]


def _of_churn(found: ClosedWindow, card: Mapping[str, Metric] | None, promised: Mapping[str, Any]) -> list[Check]:
    if card is None:
        return []
    ece, auc = (_promise(promised, "churn", name) for name in ("ece", "auc"))
    limit = LIMITS.ece
    is_worse = _beyond_noise(card["ece"], ece, sign=-1) and card["ece"].value > limit
    level: Level = "quiet" if not is_worse else "alarm" if card["ece"].low > limit else "notice"
    required = f"ECE at most {limit:g}, or as on the holdout{_describe(ece)}"
    return [
        Check("W7", level, f"ECE {_written(card['ece'])}", required, found.name),
        _skill("W8", "AUC", card["auc"], auc, found),
    ]


def _of_value(
    found: ClosedWindow, card: Mapping[str, Metric] | None, intervals: RangeCard | None, promised: Mapping[str, Any]
) -> list[Check]:
    if card is None or intervals is None:
        return []
    bias, limit = card["bias"], LIMITS.bias
    is_off = min(abs(bias.low), abs(bias.high)) > limit and bias.low * bias.high > 0
    level: Level = "alarm" if is_off else "notice" if abs(bias.value) > limit else "quiet"
    before = _promise(promised, "value", "bias")
    earlier = "" if before is None else f"; {before.value:+.1%} on the holdout"
    measured = f"bias {bias.value:+.1%} [{bias.low:+.1%} to {bias.high:+.1%}]"
    return [
        Check("W9", level, measured, f"between -{limit:.0%} and +{limit:.0%}{earlier}", found.name),
        _skill("W10", "nGini", card["ngini"], _promise(promised, "value", "ngini"), found),
        _tops(found, intervals),
    ]


def _skill(code: str, name: str, ours: Metric, promised: Metric | None, found: ClosedWindow) -> Check:
    if promised is None or not math.isfinite(ours.value):
        return Check(code, "unknown", f"{name} {_written(ours)}", "a holdout in the bundle", found.name)
    is_worse = _beyond_noise(ours, promised, sign=1)
    level: Level = "quiet" if not is_worse else "alarm" if promised.value - ours.value > LESS_SKILL else "notice"
    required = f"not below the holdout's {_written(promised)} beyond noise; alarm {LESS_SKILL:g} below"
    return Check(code, level, f"{name} {_written(ours)}", required, found.name)


def _tops(found: ClosedWindow, intervals: RangeCard) -> Check:
    """Tops that are too low mislead; tops that are too high are written down as they are."""
    overall = intervals.overall
    share = ranges.share_with_interval(overall.above, overall.n_above)
    alarm = INTERVAL_TAIL + TOO_MANY
    level: Level = "alarm" if share.low > alarm else "notice" if share.low > INTERVAL_TAIL else "quiet"
    required = f"at most {INTERVAL_TAIL:.0%} within noise; alarm above {alarm:.0%}"
    text = f"{share.value:.1%} of {overall.n_above:,} above the top" if overall.n_above else "nobody has a top"
    return Check("W11", level, text, required, found.name)


def _beyond_noise(ours: Metric, promised: Metric | None, sign: int) -> bool:
    """Whether ours is worse by more than both intervals explain; `sign` 1 where more is better."""
    if promised is None:
        return True
    noise = math.hypot(*((each.high - each.low) / 2 for each in (ours, promised)))
    return sign * (promised.value - ours.value) > noise


def _promise(card: Mapping[str, Any], target: str, name: str) -> Metric | None:
    found = card.get(target, {}).get("models", {}).get(MODEL, {}).get(name)
    return None if found is None else Metric(*(float(found[part]) for part in Metric._fields))


def _per_tier(
    tiers: np.ndarray[Any, Any],
    churn: tuple[Vector, Vector] | None,
    value: tuple[Vector, Vector] | None,
    intervals: RangeCard | None,
) -> tuple[TierOutcome, ...]:
    out = []
    for tier in grid.TIERS:
        here = tiers == tier
        if here.any():
            p_churn, left = [float(column[here].mean()) for column in churn] if churn else (None, None)
            expected, came = [float(column[here].sum()) for column in value] if value else (None, None)
            held = intervals.by_group[tier].above if intervals else None
            out.append(TierOutcome(tier, int(here.sum()), p_churn, left, expected, came, held))
    return tuple(out)


def _numbers(rows: pa.Table, name: str) -> Vector:
    return np.asarray(rows[name].to_numpy(zero_copy_only=False), dtype=np.float64)


def _written(metric: Metric) -> str:
    return f"{metric.value:.3f} [{metric.low:.3f} to {metric.high:.3f}]"


def _describe(promised: Metric | None) -> str:
    return "" if promised is None else f" ({_written(promised)})"
