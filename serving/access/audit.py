"""Who asked what and when, and for how many customers: one JSON object a line, only ever appended.

Never what was asked or answered, and no customer's id. A line is written in one call to a file opened for appending, so
that the lines of several workers do not mix; it is opened for each line, so that it may be moved away at any time.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import pathlib
import sys
from typing import NamedTuple

from tiercast.contract import errors


class Entry(NamedTuple):
    """One request. `key` is None for a caller who is not known; `customers` where nothing was counted."""

    key: str | None
    name: str | None
    method: str
    route: str
    status: int
    customers: int | None
    request_id: str


class Audit:
    """The file, or the standard error stream without one."""

    def __init__(self, file: pathlib.Path | None = None) -> None:
        self.file = file
        self.problem: str | None = None

    def check(self) -> None:
        """Raises `CannotWrite` if no line can be appended."""
        try:
            self._append(b"")
        except OSError as error:
            hint = "pass --audit with a file in a folder that may be written"
            what = f"the audit log cannot be written: {(error.strerror or 'error').lower()}"
            raise errors.CannotWrite(what, first=str(self.file), hint=hint) from error

    def write(self, entry: Entry) -> bool:
        """Append a line; False, with `problem` set, where that was not possible."""
        at = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"at": at, **entry._asdict()}).encode() + b"\n"
        try:
            self._append(line)
        except OSError as error:
            self.problem = f"the audit log cannot be written: {(error.strerror or 'error').lower()}"
        else:
            self.problem = None
        return self.problem is None

    def _append(self, line: bytes) -> None:
        if self.file is None:
            sys.stderr.buffer.write(line)
            sys.stderr.buffer.flush()
            return
        place = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(place, line)
        finally:
            os.close(place)
