"""Where the served bundle comes from: a folder, TIERCAST_BUNDLE, or an alias in the registry, TIERCAST_MODEL."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
from typing import NamedTuple, Protocol

from tiercast.contract import errors
from tiercast.models import bundle_folder
from tiercast.serving import registry
from tiercast.serving.model_manager import cache as caches
from tiercast.serving.model_manager.cache import BundleCache, Pointer

FOLDER, MODEL = "TIERCAST_BUNDLE", "TIERCAST_MODEL"


class LocalBundle(NamedTuple):
    """A bundle on this disk. `origin` describes where it came from; `digest` changes whenever its content does."""

    folder: pathlib.Path
    origin: str
    digest: str


class BundleSource(Protocol):
    """Where a bundle comes from, and which one the processes of a service have selected."""

    def latest(self) -> LocalBundle:
        """The bundle to serve now, fetched if necessary. Raises `BadInput`, `BundleRefused` and `CannotWrite`."""

    def cached(self) -> LocalBundle | None:
        """The bundle that this disk already has, without any request. Raises `BundleRefused`."""

    def selected(self) -> str | None:
        """The digest of the bundle that a process of the service selected last."""

    def select(self, bundle: LocalBundle) -> None:
        """Let all processes that follow this source serve `bundle`. Raises `CannotWrite`."""

    def remember(self, bundle: LocalBundle) -> None:
        """Record the bundle that the service starts with, where that is possible and of use."""


class FolderSource:
    """A bundle's folder. Another bundle in its place is served after a reload, not before."""

    def __init__(self, folder: pathlib.Path, cache: BundleCache) -> None:
        self._folder, self._cache = folder.absolute(), cache
        self._name = f"folder-{hashlib.sha256(str(self._folder).encode()).hexdigest()[:16]}"

    def latest(self) -> LocalBundle:
        return LocalBundle(self._folder, f"folder {self._folder}", digest(self._folder))

    def cached(self) -> LocalBundle | None:
        return self.latest()

    def selected(self) -> str | None:
        return _selected(self._cache, self._name)

    def select(self, bundle: LocalBundle) -> None:
        self._cache.write_pointer(self._name, Pointer(self._name, bundle.origin, bundle.digest))

    def remember(self, bundle: LocalBundle) -> None:
        """Do nothing: a service that starts must not make others that serve this folder reload it."""


class RegistrySource:
    """An alias or a version in the registry, fetched into the cache."""

    def __init__(self, name: str, cache: BundleCache) -> None:
        self._name, self._cache = name, cache

    def latest(self) -> LocalBundle:
        """Look the version up in the registry; download it if the cache does not hold it intact."""
        version = registry.find(self._name)
        folder = self._cache.folder / version.folder
        if not _is_intact(folder):
            registry.download(version, folder)
        return LocalBundle(folder, f"registry, {self._name} is version {version.number}", digest(folder))

    def cached(self) -> LocalBundle | None:
        pointer = self._cache.read_pointer(self._name)
        folder = self._cache.folder / (pointer.folder if pointer else "")
        return LocalBundle(folder, pointer.origin, pointer.mark) if pointer and folder.is_dir() else None

    def selected(self) -> str | None:
        return _selected(self._cache, self._name)

    def select(self, bundle: LocalBundle) -> None:
        self._cache.write_pointer(self._name, Pointer(bundle.folder.name, bundle.origin, bundle.digest))
        self._cache.prune()

    def remember(self, bundle: LocalBundle) -> None:
        with contextlib.suppress(errors.CannotWrite):  # then the next start asks the registry again
            if self.selected() != bundle.digest:
                self.select(bundle)


def from_env() -> FolderSource | RegistrySource:
    """The source that the environment names. Raises `BadInput` when it names none."""
    if os.environ.get(FOLDER):
        return FolderSource(pathlib.Path(os.environ[FOLDER]), caches.from_env("folders"))
    if not os.environ.get(MODEL):
        hint = f"set {FOLDER} to the folder that `tiercast train --bundle` wrote, or {MODEL} to champion"
        raise errors.BadInput("no bundle to serve is named", first=f"{FOLDER} is not set", hint=hint)
    return RegistrySource(os.environ[MODEL], caches.from_env())


def check(source: BundleSource) -> None:
    """Load the bundle once, before any worker starts: the latest, else the cached one. Raises why it cannot be."""
    try:
        bundle = source.latest()
        bundle_folder.load(bundle.folder)
        source.remember(bundle)
    except errors.TiercastError:
        cached = source.cached()
        if cached is None:
            raise
        bundle_folder.load(cached.folder)


def read_manifest(folder: pathlib.Path) -> bytes:
    """The manifest, as it lies there. Raises `BundleRefused`."""
    try:
        return (folder / bundle_folder.MANIFEST).read_bytes()
    except OSError as error:
        hint = "name the folder that `tiercast train --bundle` wrote"
        raise errors.BundleRefused("there is no readable bundle", first=str(folder), hint=hint) from error


def digest(folder: pathlib.Path) -> str:
    """The sha256 of the manifest, which has the digest of every other file. Raises `BundleRefused`."""
    return hashlib.sha256(read_manifest(folder)).hexdigest()


def _selected(cache: BundleCache, name: str) -> str | None:
    pointer = cache.read_pointer(name)
    return pointer.mark if pointer else None


def _is_intact(folder: pathlib.Path) -> bool:
    try:
        bundle_folder.load(folder)
    except errors.BundleRefused:
        return False
    return True
