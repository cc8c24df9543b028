"""The MLflow store: a SQLite file beside its artifacts, or whatever MLFLOW_TRACKING_URI names."""

from __future__ import annotations

import contextlib
import logging
import pathlib
from collections.abc import Iterator

import mlflow
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from tiercast.contract import addresses, errors, files

EXPERIMENT = "tiercast"


def connect(root: pathlib.Path | None = None) -> str:
    """Point MLflow at the store below `root`, making it on first use, and return its address.

    Raises `BadInput` where there is none to be had: a server that does not answer, a file that is no database.
    """
    uri = addresses.tracking_uri(root)
    database = addresses.sqlite_file(uri)
    if database is not None:
        _make_folder(database.parent)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    mlflow.set_tracking_uri(uri)
    with translated_errors():
        if mlflow.get_experiment_by_name(EXPERIMENT) is None:
            mlflow.create_experiment(EXPERIMENT, artifact_location=_artifacts(database))
    return uri


def experiment_id() -> str:
    """The id of our experiment in the connected store. Raises `BadInput` when it is missing or was deleted."""
    with translated_errors():
        found = mlflow.get_experiment_by_name(EXPERIMENT)
    if found is None or found.lifecycle_stage != "active":
        raise errors.BadInput(
            f"the experiment `{EXPERIMENT}` is {'deleted' if found else 'missing'} in this MLflow store",
            first=mlflow.get_tracking_uri(),
            hint=f"restore it with `mlflow experiments restore --experiment-id {found.experiment_id}`"
            if found
            else "train a model first, or set MLFLOW_TRACKING_URI to the store that holds the runs",
        )
    return str(found.experiment_id)


@contextlib.contextmanager
def translated_errors() -> Iterator[None]:
    """Turn errors of the MLflow store inside the `with` block into `BadInput`."""
    try:
        yield
    except (MlflowException, SQLAlchemyError) as error:
        first = f"{mlflow.get_tracking_uri()}: {str(error).splitlines()[0]}"
        hint = f"start that server, or correct {addresses.VARIABLE}; without it, ./mlruns/mlflow.db is used"
        raise errors.BadInput("the MLflow store cannot be used", first=first, hint=hint) from error


def _artifacts(database: pathlib.Path | None) -> str | None:
    """Beside the database; a server decides for itself. MLflow keeps the place as an absolute address."""
    return (database.parent / "artifacts").absolute().as_uri() if database is not None else None


def _make_folder(folder: pathlib.Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        hint = f"check the permissions, or set {addresses.VARIABLE} to a store elsewhere"
        what = f"the folder for MLflow cannot be made: {files.reason(error)}"
        raise errors.CannotWrite(what, first=str(folder), hint=hint) from error
