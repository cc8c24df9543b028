from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Yesterday's file, in a folder with nothing else."""
    path = tmp_path / "scores.json"
    path.write_text("yesterday's")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Yesterday's folder with one file, in a folder with nothing else."""
    path = tmp_path / "bundle"
    path.mkdir()
    (path / "model.json").write_text("yesterday's")
    return path
