"""Gains of `tiercast tune`: searched and confirmed on earlier windows, then measured on the unseen holdout.

    python -m benchmarks tuning

For each shop three trainings are judged on the same holdout: with the defaults, with what the search keeps, and with
the best trial of each model whether it was confirmed or not. The last one shows what confirming is worth.
"""

from __future__ import annotations

import pathlib
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmarks import quality, shops
from benchmarks.quality import OnStep
from benchmarks.shops import Shop
from tiercast.features import reading
from tiercast.features.engines.duckdb import Engine
from tiercast.training import train
from tiercast.training.evaluation.bootstrap import Measure, Metric
from tiercast.training.evaluation.scorecard import paired_difference
from tiercast.training.judge.holdout import MODEL, Judged
from tiercast.training.settings import Horizons, Settings
from tiercast.training.train import Trained
from tiercast.training.tuning import tune
from tiercast.training.tuning.tune import SearchResult, Tuned

DIGITS = {"auc": 4, "brier": 4, "ngini": 3, "mae": 2}
Gains = dict[str, Metric]


class Gained(NamedTuple):
    """A search, and the paired gains over the defaults on the holdout: of what was kept, and of the best trials."""

    shop: Shop
    tuned: Tuned
    seconds: float
    kept: Gains
    best: Gains


def measure(trials: int = 40, on_step: OnStep = lambda _: None) -> list[Gained]:
    """Tune on every shop whose history is long enough for a holdout, a confirmation and a search: 90 days at most."""
    with tempfile.TemporaryDirectory(prefix="tiercast-bench-") as name:
        folder = pathlib.Path(name)
        found, _ = shops.gather(folder)
        return [_gained(shop, trials, on_step, folder / f"{at}.db") for at, shop in enumerate(found) if shop.days <= 90]


def _gained(shop: Shop, trials: int, on_step: OnStep, study: pathlib.Path) -> Gained:
    on_step(f"tuning on {shop.title}")
    defaults = Settings(horizons=Horizons(churn_days=shop.days, value_days=shop.days))
    settings = defaults.model_copy(update={"tune": defaults.tune.model_copy(update={"trials": trials})})
    begun = time.perf_counter()
    with Engine() as engine:
        tuned = tune.tune(engine, tune.read(engine, shop.sources, shop.as_of, defaults.horizons), settings, study)
    seconds = time.perf_counter() - begun
    best = {f"{found.model}_trees": found.best.values for found in tuned.found if found.best}
    plain = _trained(shop, defaults)
    kept = _trained(shop, tuned.settings) if any(found.values for found in tuned.found) else plain
    return Gained(
        shop, tuned, seconds, _gains(kept, plain), _gains(_trained(shop, defaults.model_copy(update=best)), plain)
    )


def _trained(shop: Shop, settings: Settings) -> Trained:
    with Engine() as engine:
        return train.train(engine, reading.read(engine, shop.sources, shop.as_of, is_counted=False), settings)


def _gains(ours: Trained, theirs: Trained) -> Gains:
    churn = _paired(ours.churn, theirs.churn, quality.CHURN)
    return churn | _paired(ours.value and ours.value.judged, theirs.value and theirs.value.judged, quality.VALUE)


def _paired(ours: Judged | None, theirs: Judged | None, measures: Mapping[str, tuple[Measure, int]]) -> Gains:
    """Positive where the first is better."""
    if ours is None or theirs is None:
        return {}
    gains: Gains = {}
    for name, (measure, sign) in measures.items():
        first, second = (ours, theirs) if sign > 0 else (theirs, ours)
        gains[name] = paired_difference(measure, first.forecasts[MODEL], second.forecasts[MODEL], ours.actual)
    return gains


def markdown(found: Sequence[Gained]) -> list[str]:
    """The gains of the search, then those on the holdout."""
    return [*_searches(found), "", *_holdouts(found)]


def _searches(found: Sequence[Gained]) -> list[str]:
    head = ["| | model | cut short | gain searched | gain confirmed | kept |", "|---|---|--:|--:|--:|---|"]
    rows = [f"| {g.shop.title} {_row(f)}" for g in found for f in g.tuned.found]
    took = ", ".join(f"{g.shop.title} {g.seconds:.0f} s" for g in found)
    return [*head, *rows, "", f"Both searches together took: {took}."]


def _row(found: SearchResult) -> str:
    cut = f"{sum(trial.is_pruned for trial in found.trials)} of {len(found.trials)}"
    searched = f"{100 * found.gains[found.best.number - 1]:+.2f} %" if found.best else "none"
    confirmed = _percent(found.confirmed.gain) if found.confirmed else ""
    return f"| {found.model} | {cut} | {searched} | {confirmed} | {'yes' if found.values else 'no'} |"


def _holdouts(found: Sequence[Gained]) -> list[str]:
    head = ["| | trained with | AUC | Brier | nGini | MAE |", "|---|---|--:|--:|--:|--:|"]
    return head + [
        f"| {g.shop.title} | {name} | " + " | ".join(quality.cell(gains[n], d, "+") for n, d in DIGITS.items()) + " |"
        for g in found
        for name, gains in (("what was kept", g.kept), ("the best trials", g.best))
    ]


def _percent(gain: Metric) -> str:
    value, low, high = (f"{100 * number:+.2f}" for number in gain)
    return f"{value} % ({low} to {high})"
