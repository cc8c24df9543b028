"""Data sets that lie beside the project and are not part of it.

`TIERCAST_DATA` names their folder; without it, `shared/data` beside the project is tried.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def find(name: str) -> Path | None:
    """The path of `name` (such as online_retail/transactions.parquet), or None where it is not."""
    folder = Path(os.environ.get("TIERCAST_DATA", ROOT.parent / "shared" / "data"))
    path = folder / name
    return path if path.exists() else None


def need(name: str) -> Path:
    """The path of `name`; without it the test skips and says so, and in CI it fails."""
    path = find(name)
    if path is None:
        missing = f"{name} is not here; set TIERCAST_DATA to the folder that holds it"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return path
