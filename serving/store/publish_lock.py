"""One publisher at a time. The lock belongs to a process and goes with it, however it ends."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from tiercast.contract import errors
from tiercast.serving.store import database

NUMBER = 7_420_162  # any number, the same for every publisher into a PostgreSQL database


@contextlib.contextmanager
def held(engine: Engine) -> Iterator[None]:
    """Hold the store's publishing lock inside the block. Raises `StoreBusy` at once where somebody else has it."""
    holding = _file(engine) if engine.dialect.name == "sqlite" else _advisory(engine)
    with holding as is_ours:
        if not is_ours:
            hint = "wait until the other publish or rollback has ended, then start again; nothing was changed"
            raise errors.StoreBusy(
                "somebody else changes the store just now", first=database.display_url(engine), hint=hint
            )
        yield


@contextlib.contextmanager
def _file(engine: Engine) -> Iterator[bool]:
    """A lock on an empty neighbour of the file: one in the database itself would keep everybody from writing."""
    neighbour = Path(f"{engine.url.database}.publishing")
    try:
        opened = neighbour.open("w")
    except OSError as error:
        hint = "the store's folder must be writable for whoever publishes"
        raise errors.CannotWrite(
            f"the publishing lock cannot be made: {error.strerror}", first=str(neighbour), hint=hint
        ) from error
    with opened as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextlib.contextmanager
def _advisory(engine: Engine) -> Iterator[bool]:
    """PostgreSQL lets go of it when the connection ends, so nobody has to clean up after a crash."""
    with database.translated_errors(engine), database.connect(engine) as connection:
        is_ours = bool(connection.scalar(sa.select(sa.func.pg_try_advisory_lock(NUMBER))))
        try:
            yield is_ours
        finally:
            if is_ours:
                with contextlib.suppress(sa.exc.DBAPIError):  # the connection is gone, and the lock with it
                    connection.scalar(sa.select(sa.func.pg_advisory_unlock(NUMBER)))
