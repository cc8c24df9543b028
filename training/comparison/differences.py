"""How far two trainings are apart in every metric, and whether that is more than luck.

Where both kept their forecasts of the same customers over the same days, the difference is measured on the same
resampled customers (`scorecard.paired_difference`). Elsewhere it is laid together from the two separate intervals by
the MOVER (Zou & Donner 2008, doi 10.1002/sim.3095), as if the two trainings had been judged on strangers:

    low  = d - sqrt((b - b_low)^2 + (a_high - a)^2)
    high = d + sqrt((b_high - b)^2 + (a - a_low)^2)      with d = b - a

On the same customers that interval is too wide, for both are good or bad on the same ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from tiercast.contract.scores import INTERVAL_TAIL
from tiercast.training.comparison import kept
from tiercast.training.comparison.kept import Kept
from tiercast.training.comparison.subject import Subject
from tiercast.training.evaluation import level, ranges, scorecard
from tiercast.training.evaluation.bootstrap import Metric
from tiercast.training.evaluation.outcomes import Pairs

Verdict = Literal["better", "worse", "noise", "same", "unknown"]
MORE_IS_BETTER = frozenset(
    {"auc", "pr_auc", "top_decile_lift", "empc", "ngini", "spearman", "captured_top10", "captured_top20"}
)
RANGES = tuple(f"value_{name}" for name in ranges.SHARES)
TARGETS: Mapping[str, float] = {"value_bias": 0.0, **dict.fromkeys(RANGES, INTERVAL_TAIL)}
"""Where neither more nor less is better: what the metric ought to be. The difference is that of the distances to it."""
UNKNOWN = Metric(math.nan, math.nan, math.nan)


class Difference(NamedTuple):
    """Another training minus the first, with its 95 % interval, and what that means.

    Noise: the interval holds 0. `is_paired`: measured on the same customers.
    """

    value: float
    low: float
    high: float
    is_paired: bool
    verdict: Verdict


def between(first: Subject, other: Subject) -> dict[str, Difference]:
    """Every metric that both have, `other` minus `first`."""
    found: dict[str, Difference] = {}
    for target in kept.TARGETS:
        one, two = first.kept.get(target), other.kept.get(target)
        if one is not None and two is not None and not kept.why_not_paired(one, two):
            found |= {name: _verdict(name, metric, is_paired=True) for name, metric in paired(one, two).items()}
    found |= apart(first, other, [name for name in names() if name not in found])
    return {name: found[name] for name in names() if name in found}


def apart(first: Subject, other: Subject, names: Iterable[str]) -> dict[str, Difference]:
    """The same from the two separate intervals, for those of the named metrics that both have."""
    found = {name: (first.metric(name), other.metric(name)) for name in names}
    return {
        name: _verdict(name, unpaired(name, one, two), is_paired=False)
        for name, (one, two) in found.items()
        if one is not None and two is not None
    }


def names() -> tuple[str, ...]:
    """The metrics of a comparison, in the order in which they are read."""
    churn, value = (tuple(measures) for measures in (scorecard.CHURN_MEASURES, scorecard.VALUE_MEASURES))
    return (*(f"churn_{name}" for name in churn), *(f"value_{name}" for name in value), *RANGES)


def paired(first: Kept, other: Kept) -> dict[str, Metric]:
    """Every metric of the target, `other` minus `first`, on the same resampled customers."""
    known = scorecard.CHURN_MEASURES if first.target == "churn" else scorecard.VALUE_MEASURES
    measures = {f"{first.target}_{name}": measure for name, measure in known.items()}
    if first.target == "value":
        measures["value_bias"] = _distance_of_the_total
    found = scorecard.paired_differences(measures, other.forecast, first.forecast, first.actual)
    if first.target == "value":
        for name in ranges.SHARES:
            after, before = (ranges.outside(name, k.value_low, k.value_high, k.actual) for k in (other, first))
            found[f"value_{name}"] = scorecard.paired_difference(ranges.distance, after, before, first.actual)
    return found


def unpaired(name: str, first: Metric, other: Metric) -> Metric:
    """Two metrics judged apart: the difference with the interval of the MOVER.

    >>> gap = unpaired("value_mae", Metric(80.0, 68.0, 83.0), Metric(85.0, 81.0, 90.0))
    >>> [round(float(end), 9) for end in gap]                     # 5 - hypot(4, 3) and 5 + hypot(5, 12)
    [5.0, 0.0, 18.0]
    """
    a, b = (_folded(metric, TARGETS.get(name)) for metric in (first, other))
    gap = b.value - a.value
    return Metric(
        gap, gap - math.hypot(b.value - b.low, a.high - a.value), gap + math.hypot(b.high - b.value, a.value - a.low)
    )


def verdict(name: str, difference: Metric) -> Verdict:
    """Better or worse only where the whole interval lies on one side.

    >>> verdict("churn_brier", Metric(-0.02, -0.03, -0.01)), verdict("churn_brier", Metric(-0.02, -0.05, 0.01))
    ('better', 'noise')
    """
    if not all(math.isfinite(number) for number in difference):
        return "unknown"
    if difference == Metric(0.0, 0.0, 0.0):
        return "same"
    if difference.low <= 0 <= difference.high:
        return "noise"
    is_more_better = name.partition("_")[2] in MORE_IS_BETTER
    return "better" if (difference.value > 0) == is_more_better else "worse"


def _verdict(name: str, metric: Metric, *, is_paired: bool) -> Difference:
    return Difference(*metric, is_paired, verdict(name, metric))


def _folded(metric: Metric, target: float | None) -> Metric:
    """The distance to what the metric ought to be; its interval begins at 0 where the metric's own holds the target."""
    if target is None:
        return metric
    ends = sorted(abs(end - target) for end in (metric.low, metric.high))
    low = 0.0 if metric.low <= target <= metric.high else ends[0]
    return Metric(abs(metric.value - target), low, ends[1])


def _distance_of_the_total(pairs: Pairs) -> float:
    return abs(level.bias(pairs))
