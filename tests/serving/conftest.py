"""The service with the small trained bundle, in this process and without a port; and a database of either kind."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tiercast.models import bundle_folder
from tiercast.training.train import Trained

HERE = "http://127.0.0.1"


@pytest.fixture(scope="package")
def served(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the bundle that the service answers with."""
    place = tmp_path_factory.mktemp("service") / "bundle"
    bundle_folder.save(trained.bundle, place)
    return place


@pytest.fixture(scope="package")
def client(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The whole application: middleware, validation, scoring."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIERCAST_BUNDLE", str(served))
        patch.setenv("TIERCAST_LOCAL", "1")
        patch.setenv("BENTOML_HOME", str(tmp_path_factory.mktemp("bentoml")))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Starlette 1.10 asks for httpx2, which few have yet
            from starlette.testclient import TestClient
        from tiercast.serving.http import bento

        app = bento.Tiercast.to_asgi()  # type: ignore[attr-defined]
        with TestClient(app, base_url=HERE, raise_server_exceptions=False) as opened:
            yield opened


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with nothing in it, this test's alone."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'scores.db'}"
    address: str = request.getfixturevalue("database")
    return address
