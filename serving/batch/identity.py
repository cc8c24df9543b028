"""What a scoring run is of, as text: two runs with equal texts would write the same file."""

from __future__ import annotations

import importlib.metadata
import pathlib
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from tiercast.features.reading import Sources, database
from tiercast.features.reading import sources as places
from tiercast.models import bundle_folder
from tiercast.models.bundle import Bundle
from tiercast.serving.batch import checkpoint

LIBRARIES = ("tiercast", "duckdb", "ibis-framework", "numpy", "scipy", "pyarrow", "lightgbm")


def of(bundle: Bundle, sources: Sources, last: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Data by their files' sizes and times, the bundle by its content, the libraries by their versions."""
    tables = (sources.transactions, sources.customers, sources.interactions, sources.overrides, last)
    named = [table for table in tables if table is not None]
    files = [pathlib.Path(path) for table in named if not database.is_one(table) for path in places.find(table).paths]
    return {
        **given,
        "files": checkpoint.fingerprint(files),
        "columns": dict(sources.columns),
        "tables": [table is not None for table in tables],
        "bundle": bundle_folder.identity(bundle),
        "libraries": versions(LIBRARIES),
        # What a database held then cannot be told by looking at it now: such a run is like no other.
        "databases": uuid.uuid4().hex if any(database.is_one(table) for table in named) else None,
    }


def versions(libraries: Iterable[str]) -> dict[str, str]:
    return {name: _version(name) for name in libraries}


def _version(name: str) -> str:
    """Our own is not known where the packages were copied instead of installed (`deploy/Dockerfile`)."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "copied"
