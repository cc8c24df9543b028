"""Bundles fetched from the registry, kept on this disk: with them the service starts and runs without MLflow.

A bundle is moved into the cache when all of it is there and its hashes are right. Which one is served is written in a
small file beside them, replaced in one step: a process that is killed at any moment leaves the old answer or the new
one, and all processes of a service read the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import re
import secrets
import shutil
from typing import NamedTuple

from tiercast.contract import errors, places

VARIABLE = "TIERCAST_CACHE"
KEPT = 4  # bundles beside those that a pointer names
NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")  # what MLflow takes as an alias, and no path


class Pointer(NamedTuple):
    """Which bundle is served: its folder in the cache, where it came from in words, the mark of its content."""

    folder: str
    origin: str
    mark: str


class Cache(NamedTuple):
    """One folder per registry, so that no bundle of another registry is ever served in its place."""

    folder: pathlib.Path

    def read(self, wanted: str) -> Pointer | None:
        """What was chosen last; nothing if nobody chose, or what is written there is no choice."""
        try:
            said = json.loads(self._place(wanted).read_text(encoding="utf-8"))
            pointer = Pointer(**{name: str(said[name]) for name in Pointer._fields})
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return pointer if NAME.fullmatch(pointer.folder) else None

    def choose(self, wanted: str, pointer: Pointer) -> None:
        """Let all processes that follow `wanted` serve that bundle. Raises `CannotWrite`."""
        target = self._place(wanted)
        scratch = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            scratch.write_text(json.dumps(pointer._asdict()), encoding="utf-8")
            scratch.replace(target)
        except OSError as error:
            hint = f"check its permissions and the space left, or set {VARIABLE} to another folder"
            what = f"the cache cannot be written to: {error.strerror}"
            raise errors.CannotWrite(what, first=str(self.folder), hint=hint) from error

    def tidy(self) -> None:
        """Delete bundles that no alias points at, but for the newest few, which somebody may still be loading."""
        with contextlib.suppress(OSError):
            named = {pointer.folder for file in self.folder.glob("*.json") if (pointer := self.read(file.stem))}
            others = [path for path in self.folder.iterdir() if path.is_dir() and path.name not in named]
            for path in sorted(others, key=lambda each: each.stat().st_mtime, reverse=True)[KEPT:]:
                shutil.rmtree(path, ignore_errors=True)

    def _place(self, wanted: str) -> pathlib.Path:
        if not NAME.fullmatch(wanted):
            hint = "name an alias such as champion, or a version number"
            raise errors.BadInput("this is neither an alias nor a version", first=wanted, hint=hint)
        return self.folder / f"{wanted}.json"


def of(registry: str | None = None) -> Cache:
    """The cache for a registry's address, below TIERCAST_CACHE or the user's own folder for such things."""
    chosen = os.environ.get(VARIABLE) or pathlib.Path(
        os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache", "tiercast"
    )
    digest = hashlib.sha256((registry or places.tracking_uri()).encode()).hexdigest()[:12]
    return Cache(pathlib.Path(chosen).absolute() / digest)
