"""A search, written down: one run with what it found, and one child for each trial."""

from __future__ import annotations

import math
import time

import mlflow
import numpy as np
from matplotlib.figure import Figure
from mlflow.entities import Metric, Param, RunTag
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector
from tiercast.training.plots import tuning as plot
from tiercast.training.tracking import log_run, store
from tiercast.training.tuning import as_toml
from tiercast.training.tuning.study import Trial
from tiercast.training.tuning.tune import SearchResult, Tuned

TUNING, TRIAL = "tuning", "trial"
TUNED_BY = "tiercast.tuned_by"
FILE, FIGURE = "tuned.toml", "figures/history.png"


def log(tuned: Tuned) -> str:
    """Log a search to the connected store (`store.connect`) and return the id of its run. Raises `BadInput`.

    It is written when the search is over, so a search that is continued gives a run of its own with all its trials.
    """
    experiment, known_as = store.experiment_id(), log_run.tags(tuned.as_of, tuned.data)
    title = f"tuning for {tuned.as_of}, on what was known before {tuned.known_until}"
    with store.translated_errors(), mlflow.start_run(experiment_id=experiment, run_name=title) as run:
        mlflow.set_tags(known_as | {log_run.KIND: TUNING})
        mlflow.log_params(_parameters(tuned))
        mlflow.log_metrics({name: value for found in tuned.found for name, value in _metrics(found).items()})
        mlflow.log_text(as_toml.text(tuned.settings), FILE)
        mlflow.log_figure(_history(tuned), FIGURE)
        for found in tuned.found:
            for trial, gain in zip(found.trials, found.gains, strict=True):
                _log_trial(experiment, run.info.run_id, found, trial, gain, known_as)
    return str(run.info.run_id)


def link(training_run: str, tuning_run: str) -> None:
    """Note on a training which search found its settings."""
    with store.translated_errors():
        mlflow.MlflowClient().set_tag(training_run, TUNED_BY, tuning_run)


def _parameters(tuned: Tuned) -> dict[str, object]:
    space = {f"tune.space.{name}": str(each) for name, each in tuned.settings.tune.space.named().items()}
    days = {"as_of": tuned.as_of.isoformat(), "known_until": tuned.known_until.isoformat()}
    verdicts = {f"{found.model}.verdict": found.verdict for found in tuned.found}
    return {
        **tuned.settings.of_training(),
        "tune.trials": tuned.settings.tune.trials,
        **space,
        **days,
        "data": tuned.data,
        **verdicts,
    }


def _history(tuned: Tuned) -> Figure:
    searches: dict[str, tuple[Vector, NDArray[np.bool_]]] = {
        found.model: (np.array(found.gains), np.array([trial.is_pruned for trial in found.trials]))
        for found in tuned.found
    }
    return plot.history(searches)


def _metrics(found: SearchResult) -> dict[str, float]:
    """`churn_gain` with its interval, on the window that confirms; `churn_gain_searched` on those searched on."""
    metrics = {f"{found.model}_trials": float(len(found.trials))}
    metrics |= {f"{found.model}_importance/{name}": share for name, share in found.importance.items()}
    if found.best is not None:
        metrics[f"{found.model}_gain_searched"] = found.gains[found.best.number - 1]
    if found.confirmed is not None:
        confirmed = {"gain": found.confirmed.gain, **{f"gain_{n}": m for n, m in found.confirmed.others.items()}}
        for name, metric in confirmed.items():
            parts = zip(("", "_low", "_high"), metric, strict=True)
            metrics |= {f"{found.model}_{name}{end}": number for end, number in parts}
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def _log_trial(
    experiment: str, parent: str, found: SearchResult, trial: Trial, gain: float, known_as: dict[str, str]
) -> None:
    """Through the client, in one batch: eighty runs of their own would take half a minute."""
    client, title = mlflow.MlflowClient(), f"{found.model} trial {trial.number}"
    now = int(time.time() * 1000)
    tags = known_as | {MLFLOW_PARENT_RUN_ID: parent, MLFLOW_RUN_NAME: title, log_run.KIND: TRIAL}
    run = client.create_run(experiment, tags=tags)
    losses = [Metric("loss", loss, now, fold) for fold, loss in enumerate(trial.losses, 1) if math.isfinite(loss)]
    gains = [Metric("gain", gain, now, 0)] if math.isfinite(gain) else []
    client.log_batch(
        run.info.run_id,
        metrics=losses + gains,
        params=[Param(name, str(value)) for name, value in trial.values.items()],
        tags=[RunTag("is_pruned", str(trial.is_pruned).lower())],
    )
    client.set_terminated(run.info.run_id)
