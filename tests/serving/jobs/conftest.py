"""An empty store on each database, with its tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.engine import Engine

from tiercast.serving.store import database, migrations


@pytest.fixture
def store(url: str) -> Iterator[Engine]:
    engine = database.open(url, create=True)
    migrations.prepare(engine)
    yield engine
    engine.dispose()
