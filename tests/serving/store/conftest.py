"""An empty store on each database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.engine import Engine

from tiercast.serving.store import opening


@pytest.fixture
def store(url: str) -> Iterator[Engine]:
    engine = opening.open(url, create=True)
    yield engine
    engine.dispose()
