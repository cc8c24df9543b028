"""The identity of a scoring run: two runs with equal identities would write the same file."""

from __future__ import annotations

import importlib.metadata
import pathlib
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from tiercast.contract import strict_json
from tiercast.features.reading import Sources, copies
from tiercast.features.reading.presets import joined_files
from tiercast.models import bundle_folder
from tiercast.models.bundle import Bundle

LIBRARIES = ("tiercast", "duckdb", "ibis-framework", "numpy", "scipy", "pyarrow", "lightgbm")


def describe(bundle: Bundle, sources: Sources, previous: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """Data by the sizes and times of their files, the bundle by its content, libraries by their versions."""
    tables = (sources.transactions, sources.customers, sources.interactions, sources.overrides, previous)
    given = [table for table in tables if table is not None]
    joined = joined_files.find(sources)
    places = [joined.paths] if joined else [copies.local_files(sources.transactions)]
    places += [copies.local_files(table) for table in given[1:]]
    files = [pathlib.Path(path) for place in places for path in place or ()]
    return {
        **options,
        "files": fingerprint(files),
        "columns": dict(sources.columns),
        "duplicates": sources.duplicates,
        "presets": [preset.model_dump(mode="json") for preset in sources.presets],
        "currency": sources.currency,
        "dialect": sources.dialect.given(),
        "tables": [table is not None for table in tables],
        "parts": [copies.part(table) for table in given],
        "bundle": bundle_folder.identity(bundle),
        "libraries": versions(LIBRARIES),
        # A server may hold other rows by now, and nothing here shows it: such a run equals no other.
        "servers": uuid.uuid4().hex if None in places else None,
    }


def fingerprint(files: Iterable[pathlib.Path]) -> str:
    """A digest of paths, sizes and times: another one when a file is replaced, added, removed or written to."""
    states = [(file, file.stat()) for file in files]
    return strict_json.digest([(str(file.resolve()), state.st_size, state.st_mtime_ns) for file, state in states])


def versions(libraries: Iterable[str]) -> dict[str, str]:
    return {name: _version(name) for name in libraries}


def _version(name: str) -> str:
    """The installed version; "copied" where our packages were copied instead (see `deploy/Dockerfile`)."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "copied"
