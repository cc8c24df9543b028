"""One publisher at a time. The lock belongs to a process, and is released however the process ends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from tiercast.contract import errors, files
from tiercast.serving.store import database

NUMBER = 7_420_162  # any number, the same for every publisher into a PostgreSQL database


@contextlib.contextmanager
def held(engine: Engine) -> Iterator[None]:
    """Hold the store's publishing lock inside the block. Raises `StoreBusy` at once where another process holds it."""
    hint = "wait until the other publish or rollback has ended, then start again; nothing was changed"
    busy = errors.StoreBusy("somebody else changes the store just now", first=database.display_url(engine), hint=hint)
    with _lock_file(engine, busy) if engine.dialect.name == "sqlite" else _advisory_lock(engine, busy):
        yield


def _lock_file(engine: Engine, busy: errors.StoreBusy) -> contextlib.AbstractContextManager[None]:
    """A lock on an empty file beside the database: a lock in the database would block every writer."""
    return files.exclusive_lock(Path(f"{engine.url.database}.publishing"), busy=busy)


@contextlib.contextmanager
def _advisory_lock(engine: Engine, busy: errors.StoreBusy) -> Iterator[None]:
    """PostgreSQL releases it when the connection ends, so a crash leaves nothing to clean up."""
    with database.translated_errors(engine), database.connect(engine) as connection:
        if not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(NUMBER))):
            raise busy
        try:
            yield
        finally:
            with contextlib.suppress(sa.exc.DBAPIError):  # the connection is gone, and the lock with it
                connection.scalar(sa.select(sa.func.pg_advisory_unlock(NUMBER)))
