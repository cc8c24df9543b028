"""Runs and versions by id, prefix or name; a helpful error where there is none."""

from __future__ import annotations

from typing import Any

import mlflow
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.exceptions import MlflowException

from tiercast.contract import errors
from tiercast.training.tracking import log_run, store

HINT = "`tiercast runs` lists them"
SHORTEST_BEGINNING = 6
"""Signs of a run id (of 32) that are enough; a number with fewer digits is a version."""
SEARCHED = 1000


def training(run_id: str) -> Run:
    """The training run with this id, or with an id that begins so. Raises `BadInput` when it is not one of ours."""
    try:
        run = mlflow.get_run(run_id)
    except MlflowException as error:
        run = _beginning(run_id, error)
    if run.info.experiment_id != store.experiment_id():
        what = f"the run is not one of the experiment `{store.EXPERIMENT}`"
        raise errors.BadInput(what, first=run_id, hint=HINT)
    if run.data.tags.get(log_run.KIND) != log_run.TRAINING:
        parent = run.data.tags.get("mlflow.parentRunId")
        hint = f"pass its parent {parent}" if parent else HINT
        raise errors.BadInput("the run is a part of a training, not a training", first=run_id, hint=hint)
    return run


def trainings(limit: int) -> list[Run]:
    """The newest trainings."""
    criteria = f"tags.`{log_run.KIND}` = '{log_run.TRAINING}'"
    return list(mlflow.MlflowClient().search_runs([store.experiment_id()], criteria, max_results=limit))


def parts(run_id: str, kind: str) -> list[Run]:
    """The child runs of one kind, oldest first."""
    criteria = f"tags.`mlflow.parentRunId` = '{run_id}' and tags.`{log_run.KIND}` = '{kind}'"
    found = mlflow.MlflowClient().search_runs([store.experiment_id()], criteria, max_results=SEARCHED)
    return sorted(found, key=lambda run: int(run.info.start_time))


def grades(run: Run) -> dict[str, str]:
    """The letters of a training by target; empty for one that was not judged."""
    start = log_run.GRADE
    return {name.removeprefix(start): text for name, text in run.data.tags.items() if name.startswith(start)}


def version(which: str, name: str) -> ModelVersion:
    """The version with this number, or the newest one of this run. Raises `BadInput`."""
    if which.isdecimal() and len(which) < SHORTEST_BEGINNING:
        return _numbered(which, name)
    run_id = str(training(which).info.run_id)
    found = versions(name, run_id)
    if not found:
        hint = "train it again with --register: the bundle carries its version, so it is given while training"
        raise errors.BadInput(f"the run has no version of `{name}`", first=which, hint=hint)
    return found[0]


def versions(name: str, run_id: str | None = None) -> list[ModelVersion]:
    """All versions, or those of one run, newest first."""
    criteria = f"name = '{name}'" + (f" and run_id = '{run_id}'" if run_id else "")
    found = mlflow.MlflowClient().search_model_versions(criteria)
    return sorted(found, key=lambda v: int(v.version), reverse=True)


def registered(name: str) -> RegisteredModel:
    """The registered model. Raises `BadInput` before the first `--register`."""
    try:
        return mlflow.MlflowClient().get_registered_model(name)
    except MlflowException as error:
        hint = "train one with `tiercast train ... --register`"
        raise errors.BadInput("no model is registered under this name yet", first=name, hint=hint) from error


def aliases(name: str) -> dict[str, tuple[str, ...]]:
    """Aliases per version number; empty when nothing is registered."""
    try:
        held: dict[str, Any] = dict(registered(name).aliases)
    except errors.BadInput:
        return {}
    return {str(v): tuple(sorted(a for a, of in held.items() if str(of) == str(v))) for v in held.values()}


def _beginning(run_id: str, error: MlflowException) -> Run:
    if len(run_id) < SHORTEST_BEGINNING:
        raise errors.BadInput("there is no such run", first=run_id, hint=HINT) from error
    found = [run for run in trainings(SEARCHED) if run.info.run_id.startswith(run_id)]
    if len(found) > 1:
        ids = ", ".join(run.info.run_id for run in found)
        raise errors.BadInput(f"{len(found)} runs begin with {run_id}", first=ids, hint="write more of the id")
    if not found:
        raise errors.BadInput("there is no such run", first=run_id, hint=HINT) from error
    return found[0]


def _numbered(which: str, name: str) -> ModelVersion:
    try:
        return mlflow.MlflowClient().get_model_version(name, which)
    except MlflowException as error:
        raise errors.BadInput(f"there is no such version of `{name}`", first=which, hint=HINT) from error
