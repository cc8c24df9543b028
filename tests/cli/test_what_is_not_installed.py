"""An installation that only scores and serves says so, instead of failing with a traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests import command_line
from tests.repo import tree


def test_training_where_only_serving_is_installed_is_refused(tmp_path: Path) -> None:
    left_out = shutil.ignore_patterns("__pycache__", "training")
    shutil.copytree(tree.ROOT / "tiercast", tmp_path / "tiercast", ignore=left_out)
    elsewhere = f"import sys; sys.path = [p for p in sys.path if p != {str(tree.ROOT)!r}]; "
    command = elsewhere + "from tiercast import cli; cli.main(sys.argv[1:])"
    arguments = ["train", "orders.parquet", "--as-of", "1998-07-01", "--bundle", "bundle"]
    response = subprocess.run(
        [sys.executable, "-P", "-c", command, *arguments],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    kind, message = command_line.refusal(response)
    assert kind == "BadInput"
    assert "First: tiercast.training" in message
    assert "tiercast[train,serve]" in message
