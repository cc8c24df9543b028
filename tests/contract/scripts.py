"""Scripts that write files, run as processes of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests import command_line


def is_as_before(target: Path) -> bool:
    inside = target / "model.json" if target.is_dir() else target
    return inside.read_text() == "yesterday's" and names(target.parent) == [target.name]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def script(source: str, *arguments: object) -> list[str]:
    return [
        sys.executable,
        "-c",
        f"import os, pathlib, signal, sys, time\nfrom tiercast.contract import errors, files\n{source}",
        *map(str, arguments),
    ]


def run(source: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command, around = script(source, *arguments), command_line.around()
    return subprocess.run(command, env=around, capture_output=True, text=True, check=False)


def started(source: str, *arguments: object) -> subprocess.Popen[str]:
    """The process, once it has printed its first line."""
    command, around = script(source, *arguments), command_line.around()
    child = subprocess.Popen(command, env=around, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def kill(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.communicate()
