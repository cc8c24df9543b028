"""Where a process of the service finds jobs: the store that keeps them, the file that says what may be asked."""

from __future__ import annotations

import functools
import pathlib
from typing import NamedTuple

from sqlalchemy.engine import Engine

from tiercast.serving.jobs import sources
from tiercast.serving.jobs.sources import Configured
from tiercast.serving.store import database, migrations


class Desk(NamedTuple):
    engine: Engine
    rules: Configured


def at(url: str, file: pathlib.Path) -> Desk:
    """The store as it was opened once in this process, the file as it is now. Raises `BadInput`, `StoreUnavailable`."""
    return Desk(store(url), sources.read(file))


@functools.lru_cache(maxsize=4)
def store(url: str) -> Engine:
    """The store with its tables, opened once in this process."""
    engine = database.open(url, create=True)
    migrations.prepare(engine)
    return engine
