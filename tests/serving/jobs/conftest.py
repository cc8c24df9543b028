"""An empty store on each database, with its tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from serving.store import migrations, opening


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database that is this test's alone."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'jobs.db'}"
    address: str = request.getfixturevalue("database")
    return address


@pytest.fixture
def store(url: str) -> Iterator[Engine]:
    engine = opening.open(url, create=True)
    migrations.prepare(engine)
    yield engine
    engine.dispose()
