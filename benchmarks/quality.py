"""How good the forecasts are: the newest window of public data sets, held out, beside the closed form and plain rules.

    python -m benchmarks.quality

`training.train` with its defaults does everything; this module only collects the numbers. Nothing is chosen
on these holdouts.
"""

from __future__ import annotations

import math
import pathlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from benchmarks import shops
from benchmarks.shops import Shop
from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.training import train
from tiercast.training.evaluation import level, probability, ranges, ranking
from tiercast.training.evaluation.bootstrap import Measure, Metric
from tiercast.training.evaluation.ranges import RangeShares
from tiercast.training.evaluation.scorecard import paired_difference
from tiercast.training.judge.holdout import CLOSED_FORM, MODEL, Judged
from tiercast.training.settings import Horizons, Settings
from tiercast.training.train import Trained

RECENCY = "recency"
NAMES = {
    MODEL: "**Tiercast**",
    CLOSED_FORM: "closed form",
    RECENCY: "recency",
    "base_rate": "base rate",
    "halved_window_rule": "halved windows",
    "naive_rate": "naive rate",
    "average_spend": "average spend × retention",
    "last_window_spend": "last window's spend",
    "zero": "nothing at all",
}
CHURN: Mapping[str, tuple[Measure, int]] = {"auc": (ranking.auc, 1), "brier": (probability.brier, -1)}
VALUE: Mapping[str, tuple[Measure, int]] = {"ngini": (ranking.ngini, 1), "mae": (level.mae, -1)}
LARGEST_ECE, LARGEST_BIAS = 0.03, 0.10
YES, NOISE, NO = "yes", "within noise", "**no**"
RANGES = {"above": "above the top", "below": "below the floor", "despite": "more than nothing despite [0, 0]"}
OnStep = Callable[[str], None]
HeldOut = Mapping[str, Metric]


class Quality(NamedTuple):
    """One shop's holdouts. `against` maps a rival to our paired gain in each metric, positive where we are better."""

    shop: Shop
    churn: Judged
    value: Judged
    shares: RangeShares
    against: Mapping[str, HeldOut]
    verdicts: Mapping[str, str]


def measure(on_step: OnStep = lambda _: None) -> tuple[list[Quality], list[str]]:
    """Train on every shop there is, and say which are not there."""
    with tempfile.TemporaryDirectory(prefix="tiercast-bench-") as folder:
        found, missing = shops.gather(pathlib.Path(folder))
        for sentence in missing:
            on_step(sentence)
        return [_measured(shop, on_step) for shop in found], missing


def _measured(shop: Shop, on_step: OnStep) -> Quality:
    on_step(f"training on {shop.title}")
    settings = Settings(horizons=Horizons(churn_days=shop.days, value_days=shop.days))
    with DuckDBEngine() as engine:
        known = reading.read(engine, shop.sources, shop.as_of, is_counted=False)
        return judge(shop, train.train(engine, known, settings))


def judge(shop: Shop, trained: Trained) -> Quality:
    """The targets on both holdouts. Raises ValueError where history was too short for one."""
    churn, value = trained.churn, trained.value
    if churn is None or value is None:
        raise ValueError(f"{shop.title}: the history is too short for a holdout")
    against = {
        rival: _gains(churn, rival, CHURN) | _gains(value.judged, rival, VALUE) for rival in (CLOSED_FORM, RECENCY)
    }
    verdicts = {name: _better([gains[name] for gains in against.values()]) for name in (*CHURN, *VALUE)}
    verdicts["ece"] = YES if churn.cards[MODEL]["ece"].value <= LARGEST_ECE else NO
    verdicts["bias"] = YES if abs(value.judged.cards[MODEL]["bias"].value) <= LARGEST_BIAS else NO
    return Quality(shop, churn, value.judged, value.intervals.overall, against, verdicts)


def _gains(judged: Judged, rival: str, measures: Mapping[str, tuple[Measure, int]]) -> dict[str, Metric]:
    ours, theirs = judged.forecasts[MODEL], judged.forecasts[rival]
    found = {name: paired_difference(measure, ours, theirs, judged.actual) for name, (measure, _) in measures.items()}
    return {name: _turned(metric, measures[name][1]) for name, metric in found.items()}


def _turned(metric: Metric, sign: int) -> Metric:
    """The difference as a gain: errors count the other way round."""
    low, high = sorted((sign * metric.low, sign * metric.high))
    return Metric(sign * metric.value, low, high)


def _better(gains: Sequence[Metric]) -> str:
    """Better than every rival: `yes` when no interval reaches 0, `within noise` when only the values say so."""
    if all(gain.low > 0 for gain in gains):
        return YES
    return NOISE if all(gain.value > 0 for gain in gains) else NO


def markdown(found: Sequence[Quality], missing: Sequence[str]) -> list[str]:
    """Four tables: what is met, the gains over the two rivals, and every model's churn and value numbers."""
    return [
        "### Targets",
        "",
        *_targets(found),
        "",
        "### Paired gains",
        "",
        *_paired(found),
        "",
        "### Churn",
        "",
        *_cards([(q, q.churn) for q in found], {"auc": 4, "brier": 4, "ece": 4}),
        "",
        "### Value",
        "",
        *_cards([(q, q.value) for q in found], {"ngini": 3, "mae": 2, "bias": 3}),
        "",
        *_ranges(found),
        *(f"\n{sentence}" for sentence in missing),
    ]


def _targets(found: Sequence[Quality]) -> list[str]:
    head = "| | AUC | Brier | ECE ≤ 0.03 | nGini | MAE | total within 10 % | met |"
    names = ("auc", "brier", "ece", "ngini", "mae", "bias")
    rows = [
        f"| {q.shop.title} | "
        + " | ".join(q.verdicts[name] for name in names)
        + f" | {sum(q.verdicts[name] != NO for name in names)} of {len(names)} |"
        for q in found
    ]
    return [head, "|---|---|---|---|---|---|---|--:|", *rows]


def _paired(found: Sequence[Quality]) -> list[str]:
    head = "| | against | AUC | Brier | nGini | MAE |"
    digits = {"auc": 4, "brier": 4, "ngini": 3, "mae": 2}
    rows = [
        f"| {q.shop.title} | {NAMES[rival]} | " + " | ".join(cell(gains[n], d, "+") for n, d in digits.items()) + " |"
        for q in found
        for rival, gains in q.against.items()
    ]
    return [head, "|---|---|--:|--:|--:|--:|", *rows]


def _cards(found: Sequence[tuple[Quality, Judged]], digits: Mapping[str, int]) -> list[str]:
    titles = {"auc": "AUC", "brier": "Brier", "ece": "ECE", "ngini": "nGini", "mae": "MAE", "bias": "bias of the total"}
    head = f"| | customers | | {' | '.join(titles[name] for name in digits)} |"
    rows = [
        f"| {q.shop.title} | {judged.n_customers:,} | {NAMES[model]} | "
        + " | ".join(cell(card[name], d, "+" if name == "bias" else "") for name, d in digits.items())
        + " |"
        for q, judged in found
        for model, card in judged.cards.items()
    ]
    return [head, "|---|--:|---|" + "--:|" * len(digits), *rows]


def _ranges(found: Sequence[Quality]) -> list[str]:
    head = ["| of ranges, 10 % each when right | " + " | ".join(RANGES.values()) + " |", "|---|--:|--:|--:|"]
    cells = [[_share(getattr(q.shares, name), getattr(q.shares, f"n_{name}")) for name in RANGES] for q in found]
    return [*head, *(f"| {q.shop.title} | {' | '.join(row)} |" for q, row in zip(found, cells, strict=True))]


def _share(share: float | None, n: int) -> str:
    """A share of n customers with its 95 % interval.

    >>> _share(0.8, 400)
    '80.0 % (75.8 to 83.6)'
    """
    if share is None:
        return "nobody"
    metric = ranges.share_with_interval(share, n)
    return f"{100 * share:.1f} % ({100 * metric.low:.1f} to {100 * metric.high:.1f})"


def cell(metric: Metric, digits: int, sign: str = "") -> str:
    """A number with its 95 % interval; no interval where resampling cannot move it.

    >>> cell(Metric(0.8398, 0.8351, 0.8447), 3)
    '0.840 (0.835 to 0.845)'
    >>> cell(Metric(-1.0, -1.0, -1.0), 2, "+")
    '-1.00'
    """
    value, low, high = (f"{number:{sign}.{digits}f}" for number in metric)
    is_fixed = math.isnan(metric.low) or low == high
    return value if is_fixed else f"{value} ({low} to {high})"


def main() -> None:
    print("\n".join(markdown(*measure(print))))


if __name__ == "__main__":
    main()
