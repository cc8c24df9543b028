"""The wheel of this checkout, built without a network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.repo import tree


def build(folder: Path) -> Path:
    """Build the wheel into `folder`."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=tree.ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("tiercast-*.whl")
    return wheel
