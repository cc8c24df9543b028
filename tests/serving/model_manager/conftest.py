"""Bundles that differ in their name only, in folders and in a registry on this disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tiercast.models import bundle_folder
from tiercast.models.bundle import Bundle
from tiercast.training.tracking.log_run import LoggedRun
from tiercast.training.train import Trained


def named(bundle: Bundle, model: str) -> Bundle:
    return bundle._replace(about=bundle.about._replace(name=model))


@pytest.fixture
def folder(trained: Trained, tmp_path: Path) -> Path:
    """A bundle called `first`; save another one over it to exchange it."""
    place = tmp_path / "bundle"
    bundle_folder.save(named(trained.bundle, "first"), place)
    return place


@pytest.fixture(autouse=True)
def cache_of_this_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIERCAST_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def registered(mlruns: Path, written: tuple[Path, LoggedRun], trained: Trained, tmp_path: Path) -> Callable[[str], str]:
    """A function that registers a bundle of that name as the newest version and makes it `champion`."""
    import mlflow

    shutil.copyfile(written[0] / "mlruns" / "mlflow.db", mlruns / "mlflow.db")
    client = mlflow.MlflowClient()
    first = mlflow.artifacts.download_artifacts("models:/tiercast/1", dst_path=str(tmp_path / "template"))

    def register(model: str) -> str:
        place = tmp_path / f"logged-{model}"
        shutil.copytree(first, place)
        (inside,) = (path.parent for path in place.rglob(bundle_folder.MANIFEST))
        bundle_folder.save(named(trained.bundle, model), inside)
        run_id = client.get_model_version("tiercast", "1").run_id
        version = str(client.create_model_version("tiercast", place.as_uri(), run_id).version)
        client.set_registered_model_alias("tiercast", "champion", version)
        return version

    return register
