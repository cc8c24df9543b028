"""`tiercast` as a person or a job starts it: a process of its own, its exit code, and its output."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
COMMAND = (sys.executable, "-m", "tiercast.cli")


def around() -> dict[str, str]:
    """The environment, with the project on the path, so that a command can run in any folder."""
    return os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def run(
    *arguments: object, cwd: Path | None = None, largest_file: int | None = None
) -> subprocess.CompletedProcess[str]:
    """The finished command; with `largest_file` (bytes), the disk is as good as full beyond it."""

    def fill_the_disk() -> None:
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    command = [*COMMAND, *map(str, arguments)]
    limited = {"PYTHONDONTWRITEBYTECODE": "1"} if largest_file is not None else {}  # Python would keep what was cut off
    return subprocess.run(
        command, cwd=cwd, env=around() | limited, capture_output=True, text=True, check=False, preexec_fn=fill_the_disk
    )


def one_object(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What --json printed: one object, the only thing on stdout, and strictly JSON."""
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 1
    found = json.loads(lines[0], parse_constant=_refuse)
    assert isinstance(found, dict)
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def refusal(done: subprocess.CompletedProcess[str]) -> tuple[str, str]:
    """The kind and the whole text of a refusal, after checking what every refusal must have."""
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    head, *rest = done.stderr.strip().splitlines()
    kind, _, what = head.partition(": ")
    assert what
    assert any(line.startswith("First: ") for line in rest), done.stderr
    assert rest[-1].startswith("Hint: "), done.stderr
    return kind, done.stderr
