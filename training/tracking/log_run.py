"""A training, written down: one run with everything it is compared by, one child per window it was judged on."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import pathlib
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from importlib import metadata
from typing import Any, NamedTuple

import mlflow
import numpy as np
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.types import ColSpec, Schema

from tiercast.models import btyd, bundle_folder
from tiercast.models.bundle import Bundle
from tiercast.training.comparison import kept
from tiercast.training.evaluation import outcomes, scorecard
from tiercast.training.fit import value_model
from tiercast.training.fit.value_model import Unseen
from tiercast.training.judge import report
from tiercast.training.tracking import figures, measures, model, parameters, store
from tiercast.training.train import Trained

KIND, TRAINING, HOLDOUT, BACKTEST = "tiercast.kind", "training", "holdout", "backtest"
SCORECARD = "scorecard.json"
FORECASTS, WEEKLY, GRADE = "forecasts", "weekly.json", "grade_"


class LoggedRun(NamedTuple):
    """The ids of a logged training. `bundle` is the one on disk, with its run and its version."""

    run_id: str
    version: str | None
    bundle: Bundle
    model_uri: str
    look: str


def log(
    trained: Trained,
    folder: pathlib.Path,
    *,
    register: bool,
    name: str = "tiercast",
    extra: Mapping[str, Any] | None = None,
) -> LoggedRun:
    """Log to the connected store (`store.connect`) and write the bundle to `folder`; `extra` joins the parameters.

    The bundle is written first, without a run: whatever MLflow then does, the training was not for nothing.
    With `register` it becomes the newest version of `name`, alias `challenger`. Raises `BadInput`, `CannotWrite`.
    """
    plain = trained.bundle._replace(about=trained.bundle.about._replace(name=name))
    bundle_folder.save(plain, folder)
    experiment, known_as = store.experiment_id(), tags(trained.span[1], trained.data) | _grades(trained)
    with store.translated_errors(), mlflow.start_run(experiment_id=experiment, run_name=_title(trained)) as run:
        run_id = run.info.run_id
        mlflow.set_tags(known_as | {KIND: TRAINING})
        mlflow.log_params(parameters.collect(trained) | dict(extra or {}))
        _log_results(trained)
        _log_windows(trained, experiment, known_as)
        known = plain._replace(about=plain.about._replace(run_id=run_id))
        logged = model.log(known, folder, known_as, register=register)
        mlflow.log_artifacts(str(folder), "bundle")
    look = f"{mlflow.get_tracking_uri()} experiment {store.EXPERIMENT}, run {run_id}"
    return LoggedRun(run_id, logged.version, logged.bundle, logged.model_uri, look)


def _log_results(trained: Trained) -> None:
    card = dict(trained.bundle.scorecard)
    mlflow.log_dict(card, SCORECARD)
    mlflow.log_metrics(measures.flatten(card) | measures.seconds(trained.seconds))
    _log_forecasts(trained)
    mlflow.log_input(_dataset(trained), context="training")
    for path, figure in figures.draw(trained):
        mlflow.log_figure(figure, f"figures/{path}")


def _log_forecasts(trained: Trained) -> None:
    """The data for later comparisons: the holdout's forecasts, without customers' ids, and the weekly totals."""
    most, value = trained.settings.tracking.kept_customers, trained.value
    judged = {"churn": trained.churn, "value": value.judged if value else None}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for target in kept.TARGETS if most else ():
            if (found := judged[target]) is not None:
                kept.write(kept.draw(target, found, most), folder / f"{target}.parquet")
        if value is not None and value.weekly is not None:
            weeks = {part: np.asarray(numbers).tolist() for part, numbers in value.weekly._asdict().items()}
            (folder / WEEKLY).write_text(json.dumps(weeks), encoding="ascii")
        mlflow.log_artifacts(name, FORECASTS)


def _log_windows(trained: Trained, experiment: str, known_as: dict[str, str]) -> None:
    """A child run for each holdout, and for each earlier window whose value was forecast before it was known."""
    card = trained.bundle.scorecard
    for target, judged in (("churn", trained.churn), ("value", trained.value and trained.value.judged)):
        if judged is not None:
            window = {"as_of": judged.as_of.isoformat(), "days": judged.days, "n_customers": judged.n_customers}
            _log_child(
                f"{target} holdout", experiment, known_as | {KIND: HOLDOUT}, window, measures.flatten(card, (target,))
            )
    for unseen in trained.final.value.unseen:
        days, n = trained.bundle.about.value_days, len(unseen.value)
        window = {"as_of": unseen.snapshot.as_of.isoformat(), "days": days, "n_customers": n}
        _log_child("value backtest", experiment, known_as | {KIND: BACKTEST}, window, _backtest(unseen))


def _log_child(
    what: str, experiment: str, tags: dict[str, str], window: dict[str, Any], metrics: dict[str, float]
) -> None:
    title = f"{what} {window['as_of']}"
    with mlflow.start_run(experiment_id=experiment, run_name=title, nested=True, tags=tags):
        mlflow.log_params(window)
        mlflow.log_metrics(metrics)


def _backtest(unseen: Unseen) -> dict[str, float]:
    """Ours and the closed form's numbers on one window, without intervals."""
    actual = value_model.realised(unseen.snapshot)
    forecasts = {"": unseen.value, measures.prefix("btyd"): unseen.snapshot.features[btyd.VALUE].to_numpy()}
    pairs = {start: outcomes.pair(forecast, actual) for start, forecast in forecasts.items()}
    return {
        f"{start}value_{name}": measure(pair)
        for start, pair in pairs.items()
        for name, measure in scorecard.VALUE_MEASURES.items()
    }


def _dataset(trained: Trained) -> MetaDataset:
    """Which data, without a row of it: the fingerprint and the columns. No path either, for it may hold a password."""
    schema = Schema([ColSpec("double", name) for name in trained.bundle.spec.names])
    source = CodeDatasetSource({"tiercast": metadata.version("tiercast"), "columns": "features as of a day"})
    return MetaDataset(source, name="customers", digest=trained.data, schema=schema)  # type: ignore[abstract]


def _grades(trained: Trained) -> dict[str, str]:
    return {f"{GRADE}{target}": letter for target, letter in report.letters(trained.bundle.scorecard).items()}


def tags(as_of: dt.date, data: str) -> dict[str, str]:
    """What every run of ours is found by: the day, the data's fingerprint, our version and the commit."""
    found = {
        "as_of": as_of.isoformat(),
        "data": data,
        "tiercast": metadata.version("tiercast"),
        "git_sha": _git_sha(),
    }
    return {name: value for name, value in found.items() if value}


def _title(trained: Trained) -> str:
    h = trained.settings.horizons
    return f"{trained.span[1]} churn {h.churn_days} d, value {h.value_days} d"


def _git_sha() -> str:
    """The commit checked out where the command runs; empty outside a repository or without git."""
    git = shutil.which("git")
    if git is None:
        return ""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        command = [git, "rev-parse", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()  # noqa: S603
    return ""
