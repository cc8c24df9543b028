"""The file a search is kept in: is it one, and does it belong to this search?"""

from __future__ import annotations

import contextlib
import pathlib
import sqlite3
from collections.abc import Mapping

from tiercast.contract import errors, files

OTHER = "pass --study with another file, or delete this one to begin anew"


def check(path: pathlib.Path) -> None:
    """Make the folder. Raises `BadInput` for a file that is something else, `CannotWrite` where none can be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        exists = path.exists() and path.stat().st_size > 0
    except OSError as error:
        what = f"the folder for the study cannot be used: {files.reason(error)}"
        hint = "check the permissions, or pass --study with a file elsewhere"
        raise errors.CannotWrite(what, first=str(path.parent), hint=hint) from error
    if exists and "studies" not in _tables(path):
        raise errors.BadInput("the file holds no study", first=str(path), hint="pass --study with another file")


def same(known: Mapping[str, object], today: Mapping[str, object], path: pathlib.Path) -> None:
    """Raises `BadInput` when the study in the file has other data, settings or ranges than today's."""
    other = [name for name in {**known, **today} if known.get(name) != today.get(name)]
    if other:
        first = f"{other[0]} was {known.get(other[0], 'not there')}, now it is {today.get(other[0], 'not there')}"
        what = f"the study in {path} is of other data or settings"
        raise errors.BadInput(what, count=len(other), unit="differences", first=first, hint=OTHER)


def _tables(path: pathlib.Path) -> set[str]:
    try:
        with contextlib.closing(sqlite3.connect(path)) as file:
            return {str(name) for (name,) in file.execute("select name from sqlite_master where type = 'table'")}
    except sqlite3.Error:
        return set()
