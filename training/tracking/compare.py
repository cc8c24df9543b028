"""Runs side by side, read from MLflow; the comparing itself is `training.comparison`."""

from __future__ import annotations

import datetime as dt
import json
import pathlib
import tempfile
from collections.abc import Sequence

import mlflow
import numpy as np
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from tiercast.contract import errors
from tiercast.training.comparison import kept, side_by_side
from tiercast.training.comparison.kept import Kept
from tiercast.training.comparison.side_by_side import Comparison
from tiercast.training.comparison.subject import Subject
from tiercast.training.judge.weekly import Weekly
from tiercast.training.tracking import log_run, lookup, store

COMPARISONS = "comparisons"


def compare(run_ids: Sequence[str]) -> Comparison:
    """Two or more trainings. Raises `BadInput` for fewer, for unknown ones, and where the horizons differ."""
    return side_by_side.compare(subjects(run_ids))


def subjects(run_ids: Sequence[str]) -> list[Subject]:
    """The trainings with these ids, or prefixes of ids, in the order given. Raises `BadInput`."""
    with store.translated_errors():
        return [subject(lookup.training(run_id)) for run_id in run_ids]


def subject(run: Run) -> Subject:
    """A training as a comparison sees it; what an old run did not keep is missing."""
    data, run_id = run.data, str(run.info.run_id)
    found, weekly = _forecasts(run_id)
    return Subject(
        run_id,
        dt.datetime.fromtimestamp(run.info.start_time / 1000, dt.UTC),
        dict(data.params),
        dict(data.metrics),
        lookup.grades(run),
        found,
        tuple(dict(window.data.metrics) for window in lookup.parts(run_id, log_run.BACKTEST)),
        weekly,
    )


def keep_page(page: pathlib.Path, found: Comparison) -> None:
    """Log the page with every run that is on it, below `comparisons/`."""
    with store.translated_errors():
        for run_id in found.run_ids:
            mlflow.MlflowClient().log_artifact(run_id, str(page), COMPARISONS)


def _forecasts(run_id: str) -> tuple[dict[str, Kept], Weekly | None]:
    there = {item.path for item in mlflow.MlflowClient().list_artifacts(run_id, log_run.FORECASTS)}
    if not there:
        return {}, None
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(_fetched(run_id, name))
        files = {target: folder / f"{target}.parquet" for target in kept.TARGETS}
        found = {target: kept.read(path) for target, path in files.items() if path.exists()}
        return {str(target): each for target, each in found.items()}, _weekly(folder / log_run.WEEKLY)


def _fetched(run_id: str, folder: str) -> str:
    try:
        where = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=log_run.FORECASTS, dst_path=folder)
    except (MlflowException, OSError) as error:
        hint = "its artifacts may have been moved or deleted; train it again"
        raise errors.BadInput("the run's forecasts cannot be read", first=run_id, hint=hint) from error
    return str(where)


def _weekly(path: pathlib.Path) -> Weekly | None:
    if not path.exists():
        return None
    parts = json.loads(path.read_text(encoding="ascii"))
    ended = parts.pop("as_of_week")
    return Weekly(**{name: np.asarray(numbers, dtype=np.float64) for name, numbers in parts.items()}, as_of_week=ended)
