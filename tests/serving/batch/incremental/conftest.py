"""A small base that grows, and a bundle of its first day."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import scored_tables
from tests.serving.batch.incremental import runs
from tiercast.features import parts
from tiercast.models.bundle import Bundle
from tiercast.training.train import Trained


@pytest.fixture(scope="module")
def bundle(trained: Trained) -> Bundle:
    """The small bundle, as if it were of the first of the days: what it learned does not matter here."""
    return runs.as_of(trained.bundle, runs.FIRST)


@pytest.fixture
def source(tmp_path: Path) -> str:
    (tmp_path / "in").mkdir()
    return scored_tables.write(tmp_path / "in", scored_tables.purchases(40))


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small base in some three parts, one more of them later."""
    monkeypatch.setattr(parts, "ROWS_PER_PART", 400)
