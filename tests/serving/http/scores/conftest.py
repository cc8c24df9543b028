"""Two generations in a store, on each database, and the application before it: no bundle, no port."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from sqlalchemy.engine import Engine

from tests import postgres_server
from tests.serving.http.scores import bases
from tests.serving.http.scores.bases import Base
from tiercast.serving.store import database, publish


class Stored(NamedTuple):
    """A store at `url` that serves `now`; `before` is the generation before."""

    url: str
    engine: Engine
    before: Base
    now: Base


@pytest.fixture(scope="package")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Base, Base]:
    """June's and July's scores: nine of June's customers are gone in July, nine are new."""
    folder, people = tmp_path_factory.mktemp("published"), bases.ids(409)
    june = bases.write(folder / "june.parquet", people[:-9], bases.JUNE, 1)
    return june, bases.write(folder / "july.parquet", [*people[:-18], *people[-9:]], bases.JULY, 2)


@pytest.fixture(scope="package", params=["sqlite", "postgres"])
def stored(
    request: pytest.FixtureRequest, published: tuple[Base, Base], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stored]:
    """Made anew each time: tests that move between workers may ask for one store, then the other, then the first."""
    with contextlib.ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'scores.db'}"
        else:
            url = stack.enter_context(postgres_server.database(request.getfixturevalue("postgres")))
        engine = database.open(url, create=True)
        stack.callback(engine.dispose)
        for base in published:
            publish.publish(engine, str(base.path))
        yield Stored(url, engine, *published)


@contextlib.contextmanager
def served(store: str | None) -> Iterator[Any]:
    """A client of the application without a model, with this store or without one; nobody asks for keys."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Starlette 1.10 asks for httpx2, which few have yet
        from starlette.testclient import TestClient
    from tiercast.serving.http import app

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIERCAST_LOCAL", "1")
        patch.delenv("TIERCAST_STORE", raising=False)
        if store is not None:
            patch.setenv("TIERCAST_STORE", store)
        with TestClient(
            app.build(has_model=False), base_url="http://127.0.0.1", raise_server_exceptions=False
        ) as opened:
            yield opened


@pytest.fixture(scope="package")
def client(stored: Stored) -> Iterator[Any]:
    with served(stored.url) as opened:
        yield opened
