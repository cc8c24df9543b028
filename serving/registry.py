"""Fetch a bundle from the MLflow registry by alias or version. Serving knows MLflow only here."""

from __future__ import annotations

import os
import pathlib
import shutil
import tempfile
from typing import TYPE_CHECKING, Any, NamedTuple

from tiercast.contract import addresses, errors, files
from tiercast.models import bundle_folder

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

NAME = "tiercast"
HINT = "check the permissions and the space left, or choose another folder"


class RegisteredVersion(NamedTuple):
    """One version of a registered model."""

    name: str
    number: str
    run_id: str

    @property
    def folder(self) -> str:
        """A folder name that no other version has, also after the registry was created anew."""
        return f"{self.name}-{self.number}-{self.run_id[:8] or 'x'}"


def fetch(
    alias_or_version: str, into: pathlib.Path, name: str = NAME, *, root: pathlib.Path | None = None
) -> pathlib.Path:
    """Download the bundle of `champion` (or another alias, or a version number) into a folder below `into`.

    Returns that folder, `<into>/<name>-<version>`, which holds manifest.json. An older copy there is replaced once the
    new one is complete. The store is MLFLOW_TRACKING_URI, else `mlruns/mlflow.db` below `root`. Raises `BadInput` when
    there is no such model, `BundleRefused` when the download is not intact, `CannotWrite`.
    """
    version = find(alias_or_version, name, root=root)
    return download(version, into / f"{name}-{version.number}", root=root)


def find(alias_or_version: str, name: str = NAME, *, root: pathlib.Path | None = None) -> RegisteredVersion:
    """The version that an alias or number names now. Raises `BadInput`, also when the registry does not answer."""
    mlflow = connect(root)
    try:
        version = _find(mlflow, name, alias_or_version)
    except errors.BadInput:
        raise
    except Exception as error:  # a store that cannot be reached raises SQLAlchemy's errors, among others
        hint = f"see whether {addresses.VARIABLE} is right and the server runs; bundles fetched before stay in service"
        (line, *_) = str(error).splitlines() or [""]
        raise errors.BadInput(
            "the registry does not answer", first=f"{type(error).__name__}: {line}", hint=hint
        ) from error
    return RegisteredVersion(name, str(version.version), str(version.run_id or ""))


def download(version: RegisteredVersion, target: pathlib.Path, *, root: pathlib.Path | None = None) -> pathlib.Path:
    """Put the bundle of a version at `target`, completely or not at all; an older copy there is replaced.

    Raises `BadInput` when its files are gone, `BundleRefused` when the download is not intact, `CannotWrite`.
    """
    mlflow, uri = connect(root), f"models:/{version.name}/{version.number}"
    with (
        files.replace_folder(target, subject="the bundle", hint=HINT) as new,
        tempfile.TemporaryDirectory(prefix=f"{version.name}-") as scratch,
    ):
        bundle = _download(mlflow, uri, pathlib.Path(scratch))
        bundle_folder.load(bundle)
        shutil.copytree(bundle, new, dirs_exist_ok=True)
    return target


def connect(root: pathlib.Path | None = None) -> Any:
    """MLflow, without telemetry and pickles, connected to the store. Raises `BadInput`; never creates a database."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    uri = addresses.tracking_uri(root)
    database = addresses.sqlite_file(uri)
    if database is not None and not database.is_file():
        hint = f"pass --bundle a folder, or set {addresses.VARIABLE} to the store where the model was registered"
        raise errors.BadInput("there is no MLflow store here", first=str(database), hint=hint)
    try:
        import mlflow
    except ImportError as error:
        hint = "pip install 'tiercast[train]', or pass --bundle a folder: scoring itself needs no MLflow"
        raise errors.BadInput("MLflow is not installed", first=str(error), hint=hint) from error
    mlflow.set_tracking_uri(uri)
    return mlflow


def _find(mlflow: Any, name: str, alias_or_version: str) -> ModelVersion:
    client = mlflow.MlflowClient()
    get = client.get_model_version if alias_or_version.isdecimal() else client.get_model_version_by_alias
    try:
        version: ModelVersion = get(name, alias_or_version)
    except mlflow.MlflowException as error:
        raise errors.BadInput(
            f"there is no model `{name}` with that version or alias",
            first=f"{alias_or_version}: {str(error).splitlines()[0]}",
            hint="`tiercast runs` lists the versions and their aliases; `tiercast promote RUN` makes a champion",
        ) from error
    return version


def _download(mlflow: Any, uri: str, scratch: pathlib.Path) -> pathlib.Path:
    """The folder of the bundle inside the logged model's folder; its loader module is not imported."""
    try:
        folder = pathlib.Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(scratch)))
    except (mlflow.MlflowException, OSError) as error:
        hint = "its artifacts may have been moved or deleted; train again with --register"
        raise errors.BadInput(
            "the model's files cannot be fetched", first=f"{uri}: {files.reason(error)}", hint=hint
        ) from error
    flavor = mlflow.models.Model.load(str(folder)).flavors.get("python_function", {})
    bundle = (folder / str(flavor.get("data", ""))).resolve()
    if not bundle.is_relative_to(folder.resolve()) or not (bundle / bundle_folder.MANIFEST).is_file():
        hint = "it was not logged by `tiercast train --register`; choose another version"
        raise errors.BundleRefused("this model holds no bundle", first=uri, hint=hint)
    return bundle
