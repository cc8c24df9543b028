"""Bundles fetched from the registry and kept on this disk: the service starts and runs from them without MLflow.

A bundle is moved into the cache once it is complete and its hashes are right. A small file beside the bundles, the
pointer, names the one that is served. It is replaced atomically: a process killed at any moment leaves the old pointer
or the new one. All processes of a service read the same pointer.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
from typing import NamedTuple

from tiercast.contract import addresses, errors, files

VARIABLE = "TIERCAST_CACHE"
KEPT = 4  # bundles beside those that a pointer names
NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")  # what MLflow accepts as an alias; never a path


class Pointer(NamedTuple):
    """Which bundle is served: its folder in the cache, a description of its origin, the digest of its manifest."""

    folder: str
    origin: str
    mark: str  # the name of the field in files that older versions wrote


class BundleCache(NamedTuple):
    """One folder per registry, so that a bundle of another registry is never served in its place."""

    folder: pathlib.Path

    def read_pointer(self, name: str) -> Pointer | None:
        """The pointer of an alias or version; None where there is none, or where its file cannot be read."""
        try:
            content = json.loads(self._path(name).read_text(encoding="utf-8"))
            pointer = Pointer(**{field: str(content[field]) for field in Pointer._fields})
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return pointer if NAME.fullmatch(pointer.folder) else None

    def write_pointer(self, name: str, pointer: Pointer) -> None:
        """Let all processes that follow `name` serve that bundle. Raises `CannotWrite`."""
        hint = f"check the permissions and the space left there, or set {VARIABLE} to another folder"
        with files.write_atomically(self._path(name), subject="the cache", hint=hint) as neighbour:
            neighbour.write_text(json.dumps(pointer._asdict()), encoding="utf-8")

    def prune(self) -> None:
        """Delete bundles that no pointer names, except the newest few: another process may still be loading one."""
        with contextlib.suppress(OSError):
            pointers = [self.read_pointer(file.stem) for file in self.folder.glob("*.json")]
            named = {pointer.folder for pointer in pointers if pointer}
            others = [path for path in self.folder.iterdir() if path.is_dir() and path.name not in named]
            for path in sorted(others, key=lambda each: each.stat().st_mtime, reverse=True)[KEPT:]:
                shutil.rmtree(path, ignore_errors=True)

    def _path(self, name: str) -> pathlib.Path:
        if not NAME.fullmatch(name):
            hint = "name an alias such as champion, or a version number"
            raise errors.BadInput("this is neither an alias nor a version", first=name, hint=hint)
        return self.folder / f"{name}.json"


def from_env(registry: str | None = None) -> BundleCache:
    """The cache of a registry (its address; by default the one in use), below TIERCAST_CACHE or the user's cache."""
    chosen = os.environ.get(VARIABLE) or pathlib.Path(
        os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache", "tiercast"
    )
    digest = hashlib.sha256((registry or addresses.tracking_uri()).encode()).hexdigest()[:12]
    return BundleCache(pathlib.Path(chosen).absolute() / digest)
