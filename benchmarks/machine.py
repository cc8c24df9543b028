"""Where a number was measured: day, machine, load and versions, in one line each."""

from __future__ import annotations

import datetime as dt
import os
import pathlib
import platform
from importlib import metadata

LIBRARIES = (
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "lightgbm",
    "duckdb",
    "ibis-framework",
    "lifetimes",
    "mlflow",
    "bentoml",
    "sqlalchemy",
    "psycopg",
)
MEMORY = pathlib.Path("/proc/meminfo")
PROCESSOR = pathlib.Path("/proc/cpuinfo")


def lines() -> list[str]:
    """The day, the machine with its load just now, and the versions that matter."""
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in LIBRARIES)
    return [
        f"{today}, {_processor()}, {os.cpu_count()} cores, {_memory()}, load {os.getloadavg()[0]:.1f}",
        f"Python {platform.python_version()}, {versions}",
    ]


def _processor() -> str:
    return _entry(PROCESSOR, "model name") or platform.machine()


def _memory() -> str:
    found = _entry(MEMORY, "MemTotal")
    return f"{int(found.split()[0]) / 2**20:.0f} GiB" if found else "memory unknown"


def _entry(path: pathlib.Path, name: str) -> str | None:
    """The value of `name` in one of Linux' files of `name: value` lines; None elsewhere."""
    if not path.exists():
        return None
    pairs = (line.partition(":") for line in path.read_text(encoding="utf-8").splitlines())
    return next((value.strip() for key, _, value in pairs if key.strip() == name), None)
