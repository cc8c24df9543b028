"""The audit log: the key, route, time and number of customers of each request. One JSON object per line, append only.

It contains no body of a request or response and no customer's id. Each line is one write to a file opened for
appending, so lines of several workers do not mix. The file is opened for each line, so it can be rotated at any time.
"""

from __future__ import annotations

import os
import pathlib
import sys
from typing import NamedTuple

from tiercast.contract import files
from tiercast.serving import json_log


class AuditEntry(NamedTuple):
    """One request. `key` is None for an unknown caller, `customers` where no customers were counted."""

    key: str | None
    name: str | None
    method: str
    route: str
    status: int
    customers: int | None
    request_id: str


class AuditLog:
    """Writes to `file`, or to standard error without one."""

    def __init__(self, file: pathlib.Path | None = None) -> None:
        self.file = file
        self.problem: str | None = None

    def check(self) -> None:
        """Raises `CannotWrite` if no line can be appended."""
        hint = "pass --audit with a file in a folder that may be written"
        with files.cannot_write(pathlib.Path(str(self.file)), subject="the audit log", hint=hint):
            self._append(b"")

    def write(self, entry: AuditEntry) -> bool:
        """Append a line; False, with `problem` set, if that fails."""
        try:
            self._append(f"{json_log.line(entry._asdict())}\n".encode())
        except OSError as error:
            self.problem = f"the audit log cannot be written: {files.reason(error)}"
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
