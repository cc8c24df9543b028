"""Where the bundle comes from: a folder, TIERCAST_BUNDLE, or an alias of the registry, TIERCAST_MODEL."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
from typing import NamedTuple, Protocol

from tiercast.contract import errors
from tiercast.models import bundle_folder
from tiercast.serving.model_manager import cache as caches
from tiercast.serving.model_manager.cache import Cache, Pointer

FOLDER, MODEL = "TIERCAST_BUNDLE", "TIERCAST_MODEL"


class Found(NamedTuple):
    """A bundle on this disk. `origin` says in words where it came from, `mark` changes when its content does."""

    folder: pathlib.Path
    origin: str
    mark: str


class Source(Protocol):
    """Where a bundle comes from."""

    def here(self) -> Found | None:
        """The bundle as far as this machine knows, without asking anyone. Raises `BundleRefused`."""

    def ask(self) -> Found:
        """The bundle to serve now. Raises `BadInput`, `BundleRefused` and `CannotWrite`."""

    def chosen(self) -> str | None:
        """The mark of the bundle that one of the service's processes chose last."""

    def choose(self, found: Found) -> None:
        """Tell all processes that follow this source to serve it. Raises `CannotWrite`."""

    def keep(self, found: Found) -> None:
        """Remember what the service starts with, if that can be done."""


class Folder:
    """A bundle's folder. Another bundle in its place is served after a reload, not before."""

    def __init__(self, folder: pathlib.Path, cache: Cache) -> None:
        self._folder, self._cache = folder.absolute(), cache
        self._name = f"folder-{hashlib.sha256(str(self._folder).encode()).hexdigest()[:16]}"

    def here(self) -> Found | None:
        return self.ask()

    def ask(self) -> Found:
        return Found(self._folder, f"folder {self._folder}", mark(self._folder))

    def chosen(self) -> str | None:
        pointer = self._cache.read(self._name)
        return None if pointer is None else pointer.mark

    def choose(self, found: Found) -> None:
        self._cache.choose(self._name, Pointer(self._name, found.origin, found.mark))

    def keep(self, found: Found) -> None:
        """Nothing: a service that starts must not make others that serve this folder reload it."""


class Registered:
    """An alias or a version in the registry, by way of the cache."""

    def __init__(self, wanted: str, cache: Cache) -> None:
        self.wanted, self._cache = wanted, cache

    def here(self) -> Found | None:
        pointer = self._cache.read(self.wanted)
        folder = self._cache.folder / (pointer.folder if pointer else "")
        return Found(folder, pointer.origin, pointer.mark) if pointer and folder.is_dir() else None

    def ask(self) -> Found:
        """Asks the registry, and fetches the bundle if the cache does not have it."""
        from tiercast.serving import registry

        version = registry.find(self.wanted)
        folder = self._cache.folder / version.folder
        if not _is_whole(folder):
            registry.download(version, folder)
        return Found(folder, f"registry, {self.wanted} is version {version.number}", mark(folder))

    def chosen(self) -> str | None:
        pointer = self._cache.read(self.wanted)
        return None if pointer is None else pointer.mark

    def choose(self, found: Found) -> None:
        self._cache.choose(self.wanted, Pointer(found.folder.name, found.origin, found.mark))
        self._cache.tidy()

    def keep(self, found: Found) -> None:
        with contextlib.suppress(errors.CannotWrite):  # then it is asked for again at the next start
            if self.chosen() != found.mark:
                self.choose(found)


def of_environment() -> Source:
    """The source that the environment names. Raises `BadInput` when it names none."""
    if os.environ.get(FOLDER):
        return Folder(pathlib.Path(os.environ[FOLDER]), caches.of("folders"))
    if not os.environ.get(MODEL):
        hint = f"set {FOLDER} to the folder that `tiercast train --bundle` wrote, or {MODEL} to champion"
        raise errors.BadInput("nothing says which bundle to serve", first=f"{FOLDER} is not set", hint=hint)
    return Registered(os.environ[MODEL], caches.of())


def settle(source: Source) -> None:
    """Before any process starts: look whether there is a bundle that can be served. Raises what is wrong with it."""
    try:
        found = source.ask()
        bundle_folder.load(found.folder)
        source.keep(found)
    except errors.TiercastError:
        here = source.here()
        if here is None:
            raise
        bundle_folder.load(here.folder)


def mark(folder: pathlib.Path) -> str:
    """A digest of the manifest, which has the digest of every other file. Raises `BundleRefused`."""
    try:
        return hashlib.sha256((folder / bundle_folder.MANIFEST).read_bytes()).hexdigest()
    except OSError as error:
        hint = "name the folder that `tiercast train --bundle` wrote"
        raise errors.BundleRefused("there is no readable bundle", first=str(folder), hint=hint) from error


def _is_whole(folder: pathlib.Path) -> bool:
    try:
        bundle_folder.load(folder)
    except errors.BundleRefused:
        return False
    return True
