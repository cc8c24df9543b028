"""An empty store on each database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.engine import Engine

from tiercast.serving.store import database


@pytest.fixture
def store(url: str) -> Iterator[Engine]:
    engine = database.open(url, create=True)
    yield engine
    engine.dispose()
