"""Fetching a bundle from the MLflow registry by alias or version. The only part of serving that knows MLflow."""

from __future__ import annotations

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from tiercast.contract import errors, places
from tiercast.models import bundle_folder

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
    version = find(alias_or_version, name, root=root)
    return download(version, into / f"{name}-{version.number}", root=root)


class Version(NamedTuple):
    """One registered version. `folder` names it among those of its registry, also if that is made anew."""

    name: str
    number: str
    run_id: str

    @property
    def folder(self) -> str:
        return f"{self.name}-{self.number}-{self.run_id[:8] or 'x'}"


def find(alias_or_version: str, name: str = NAME, *, root: pathlib.Path | None = None) -> Version:
    """Which version that is now. Raises `BadInput`, also when the registry does not answer."""
    mlflow = connect(root)
    try:
        found = _find(mlflow, name, alias_or_version)
    except errors.BadInput:
        raise
    except Exception as error:  # a store of SQLAlchemy's says in its own words that it is away
        hint = (
            f"see whether {places.VARIABLE} is right and the server runs; what was fetched before goes on being served"
        )
        said = str(error).partition("\n")[0]
        raise errors.BadInput(
            "the registry does not answer", first=f"{type(error).__name__}: {said}", hint=hint
        ) from error
    return Version(name, str(found.version), str(found.run_id or ""))


def download(version: Version, target: pathlib.Path, *, root: pathlib.Path | None = None) -> pathlib.Path:
    """Put the bundle of a version at `target`, all of it or nothing; a copy there that is not intact makes way.

    Raises `BadInput` when its files are gone, `BundleRefused` when what came is not intact, `CannotWrite`.
    """
    mlflow, into = connect(root), target.parent
    with _writing(into), tempfile.TemporaryDirectory(prefix=f".{version.name}-", dir=_made(into)) as scratch:
        bundle = _download(mlflow, f"models:/{version.name}/{version.number}", pathlib.Path(scratch))
        bundle_folder.load(bundle)
        if target.exists():
            target.replace(pathlib.Path(scratch, "old"))
        bundle.replace(target)
    return target


def connect(root: pathlib.Path | None = None) -> Any:
    """MLflow, quiet and pointed at the store. An empty database is never made by asking for a model."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
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
