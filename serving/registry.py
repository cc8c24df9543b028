"""Fetching a bundle from the MLflow registry by alias or version. The only part of serving that knows MLflow."""

from __future__ import annotations

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from contract import errors, places
from models import bundle_folder

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

NAME = "tiercast"


def fetch(
    alias_or_version: str, into: pathlib.Path, name: str = NAME, *, root: pathlib.Path | None = None
) -> pathlib.Path:
    """Download the bundle of `champion` (or another alias, or a version number) into a folder below `into`.

    Returns that folder, `<into>/<name>-<version>`, which holds manifest.json; an older copy in the same
    place is replaced only when the new one is complete. The store is MLFLOW_TRACKING_URI, else
    `mlruns/mlflow.db` below `root`. Raises `BadInput` when there is no such model, `BundleRefused`
    when what came is not intact.
    """
    mlflow = _connected(root)
    found = _find(mlflow, name, alias_or_version)
    target = into / f"{name}-{found.version}"
    with _writing(into), tempfile.TemporaryDirectory(prefix=f".{name}-", dir=_made(into)) as scratch:
        bundle = _download(mlflow, f"models:/{name}/{found.version}", pathlib.Path(scratch))
        bundle_folder.load(bundle)
        if target.exists():
            target.replace(pathlib.Path(scratch, "old"))
        bundle.replace(target)
    return target


def _connected(root: pathlib.Path | None) -> Any:
    """MLflow, quiet and pointed at the store. An empty database is never made by asking for a model."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    uri = places.tracking_uri(root)
    database = places.database(uri)
    if database is not None and not database.is_file():
        hint = f"pass --bundle a folder, or set {places.VARIABLE} to the store where the model was registered"
        raise errors.BadInput("there is no MLflow store here", first=str(database), hint=hint)
    try:
        import mlflow
    except ImportError as error:
        hint = "pip install 'tiercast[train]', or pass --bundle a folder: scoring itself needs no MLflow"
        raise errors.BadInput("MLflow is not installed", first=str(error), hint=hint) from error
    mlflow.set_tracking_uri(uri)
    return mlflow


def _find(mlflow: Any, name: str, wanted: str) -> ModelVersion:
    client = mlflow.MlflowClient()
    ask = client.get_model_version if wanted.isdecimal() else client.get_model_version_by_alias
    try:
        found: ModelVersion = ask(name, wanted)
    except mlflow.MlflowException as error:
        raise errors.BadInput(
            f"there is no model `{name}` with that version or alias",
            first=f"{wanted}: {str(error).splitlines()[0]}",
            hint="`tiercast runs` lists the versions and their aliases; `tiercast promote RUN` makes a champion",
        ) from error
    return found


def _download(mlflow: Any, uri: str, scratch: pathlib.Path) -> pathlib.Path:
    """The folder inside the logged model in which the bundle lies."""
    try:
        folder = pathlib.Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(scratch)))
    except (mlflow.MlflowException, OSError) as error:
        hint = "its artifacts may have been moved or deleted; train again with --register"
        raise errors.BadInput("the model's files cannot be fetched", first=f"{uri}: {error}", hint=hint) from error
    flavour = mlflow.models.Model.load(str(folder)).flavors.get("python_function", {})
    bundle = (folder / str(flavour.get("data", ""))).resolve()
    if not bundle.is_relative_to(folder.resolve()) or not (bundle / bundle_folder.MANIFEST).is_file():
        hint = "it was not logged by `tiercast train --register`; choose another version"
        raise errors.BundleRefused("this model holds no bundle", first=uri, hint=hint)
    return bundle


def _made(folder: pathlib.Path) -> pathlib.Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def _writing(folder: pathlib.Path) -> Iterator[None]:
    """Turn "no permission" and "disk full" inside the `with` block into `CannotWrite`."""
    try:
        yield
    except OSError as error:
        hint = "check the permissions and the space left, or choose another folder"
        what = f"the bundle cannot be stored: {error.strerror}"
        raise errors.CannotWrite(what, first=str(folder), hint=hint) from error
