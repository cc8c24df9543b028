"""A backtest, written down: one run whose metrics are curves over the dates, with a child run per date."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import mlflow
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException

from tiercast.training import settings
from tiercast.training.backtest import figures
from tiercast.training.backtest.day import Day
from tiercast.training.backtest.study import SUMMARY, Backtest
from tiercast.training.judge.holdout import CLOSED_FORM, MODEL
from tiercast.training.tracking import measures, store
from tiercast.training.tracking.log_run import KIND

STUDY, DATE = "backtest study", "backtest date"
AT_ONCE = 1000
"""The most metrics that MLflow takes in one call."""


def log(study: Backtest) -> str:
    """Log to the connected store (`store.connect`) and return the run's id. Raises `BadInput`."""
    experiment, tags = store.experiment_id(), _tags(study)
    with store.translated_errors(), mlflow.start_run(experiment_id=experiment, run_name=_title(study)) as run:
        run_id = str(run.info.run_id)
        mlflow.set_tags(tags | {KIND: STUDY})
        mlflow.log_params(_parameters(study))
        mlflow.log_dict(study.as_dict(), SUMMARY)
        _log_curves(run_id, study)
        mlflow.log_metrics(_overall(study))
        for name, figure in figures.draw(study):
            mlflow.log_figure(figure, f"figures/{name}")
        for each in study.judged:
            _log_date(each, experiment, tags)
    return run_id


def is_logged(run_id: str) -> bool:
    """Whether the connected store holds this run, whole."""
    try:
        run = mlflow.get_run(run_id)
    except MlflowException:
        return False
    return bool(run.info.status == "FINISHED" and run.info.lifecycle_stage == "active")


def _log_curves(run_id: str, study: Backtest) -> None:
    """Ours and the closed form's metrics; the step is days since the first date, the time the date itself."""
    points: list[Metric] = []
    for each in study.judged:
        step, at = (each.as_of - study.requested.first).days, _milliseconds(each.as_of)
        points += [Metric(name, number, at, step) for name, number in _numbers(each, (MODEL, CLOSED_FORM)).items()]
    client = mlflow.MlflowClient()
    for start in range(0, len(points), AT_ONCE):
        client.log_batch(run_id, metrics=points[start : start + AT_ONCE])


def _log_date(each: Day, experiment: str, tags: Mapping[str, str]) -> None:
    title, date_tags = f"backtest {each.as_of}", {**tags, KIND: DATE, "as_of": each.as_of.isoformat()}
    with mlflow.start_run(experiment_id=experiment, run_name=title, nested=True, tags=date_tags):
        n = 0 if each.scores is None else each.scores.num_rows
        mlflow.log_params({"as_of": each.as_of.isoformat(), "n_customers": n, **settings.flat(each.cuts, "cuts.")})
        mlflow.log_metrics(_numbers(each) | _gains(each))
        mlflow.log_dict(dict(each.card), "scorecard.json")


def _numbers(each: Day, models: tuple[str, ...] | None = None) -> dict[str, float]:
    """The date's scorecard, of all models or of those named."""
    card = {target: _of(part, models) if isinstance(part, Mapping) else part for target, part in each.card.items()}
    return measures.flatten(card)


def _of(part: Mapping[str, Any], models: tuple[str, ...] | None) -> dict[str, Any]:
    kept = {name: card for name, card in part["models"].items() if models is None or name in models}
    return {**part, "models": kept}


def _gains(each: Day) -> dict[str, float]:
    ends = {"value": "", "low": "_low", "high": "_high"}
    return {f"gain/{name}{end}": gain[part] for name, gain in each.gains.items() for part, end in ends.items()}


def _overall(study: Backtest) -> dict[str, float]:
    """Means over the dates, each tier's promise beside what came, and how calm the raw tiers were."""
    raw = study.bands[0]
    means = {f"mean/{row.metric}": row.mean for row in study.overall}
    shown = ("share", "value", "actual_value", "p_churn", "churned", "above")
    tiers = {f"tier/{row.tier}/{name}": getattr(row, name) for row in study.tiers for name in shown}
    calm = {"flip_back": raw.flip_back.value, "moved": raw.moved, "captured": raw.captured.value, "crowd": raw.crowd}
    found = means | tiers | calm
    return {name: number for name, number in found.items() if math.isfinite(number)}


def _parameters(study: Backtest) -> dict[str, Any]:
    requested = study.requested
    return {
        **study.settings.of_training(),
        "from": requested.first.isoformat(),
        "to": requested.last.isoformat(),
        "every": str(requested.every),
        "known_until": study.known_until.isoformat(),
        "model": study.model,
        "data": study.data,
        "n_dates": len(study.days),
        "n_judged": len(study.judged),
    }


def _tags(study: Backtest) -> dict[str, str]:
    return {"data": study.data, "tiercast": metadata.version("tiercast")}


def _title(study: Backtest) -> str:
    first, last, h = study.days[0].as_of, study.days[-1].as_of, study.settings.horizons
    return f"backtest {first} to {last}, churn {h.churn_days} d, value {h.value_days} d"


def _milliseconds(day: dt.date) -> int:
    return int(dt.datetime.combine(day, dt.time(), dt.UTC).timestamp() * 1000)
