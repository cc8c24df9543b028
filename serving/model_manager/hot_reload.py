"""Hot reload: replace the served model on request, or when the registry or another process has a newer one.

A failure never changes what is served: a model is replaced only by one that is ready to score.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from tiercast.contract import errors
from tiercast.serving import json_log
from tiercast.serving.model_manager import loading
from tiercast.serving.model_manager.loading import Load, ServedModel
from tiercast.serving.model_manager.source import BundleSource, LocalBundle

FOLLOW_SECONDS = 1.0
FIRST_RETRY, LAST_RETRY, JITTER = 5.0, 300.0, 0.2
OnSwap = Callable[[ServedModel, ServedModel], None]


class ReloadFailure(NamedTuple):
    """Why the latest bundle is not served. `digest` is that of a bundle that was refused, else empty."""

    error: errors.TiercastError
    since: float
    digest: str = ""


class ReloadResult(NamedTuple):
    """The model that is served after a reload, and whether it replaced another one."""

    served: ServedModel
    is_new: bool


def load_first(source: BundleSource, load: Load) -> tuple[ServedModel, ReloadFailure | None]:
    """The model to start with: of the source's latest bundle, else of the cached one and why it is not the latest.

    Raises the source's error where nothing is cached, and `BundleRefused` where that cannot be served either.
    """
    try:
        served = loading.load_model(source.latest(), load)
        source.remember(served.bundle)
    except errors.TiercastError as error:
        cached = _cached(source)
        if cached is None:
            raise
        return loading.load_model(cached, load), ReloadFailure(error, time.time())
    return served, None


class ModelManager:
    """Holds `served`, the model that scores now, and exchanges it. Raises what `load_first` raises.

    A request takes `served` once: a model that is replaced meanwhile still scores that request. The source is polled
    every `poll_seconds`; 0 means never. `on_swap` is called with the old model and the new one.
    """

    def __init__(
        self, source: BundleSource, load: Load, *, poll_seconds: float = 0.0,
        on_swap: OnSwap = lambda _old, _new: None,
    ) -> None:  # fmt: skip
        self._source, self._load, self._poll_seconds, self._on_swap = source, load, poll_seconds, on_swap
        self.served, self.failure = load_first(source, load)
        self._n_failures = 1 if self.failure else 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="model-manager", daemon=True)

    def start_watching(self) -> None:
        """Follow the other processes of the service, and poll the source if `poll_seconds` says so."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def reload(self) -> ReloadResult:
        """Serve the source's latest bundle. Raises the source's error or `BundleRefused`; the old model then stays."""
        with self._lock:
            try:
                return self._swap_to(self._source.latest())
            except errors.TiercastError as error:
                self._record(error)
                raise

    def state(self) -> str:
        """Which model is served, since when, and the last failure: for /readyz, hence without paths and names."""
        served, failure = self.served, self.failure
        note = f"{served.model}, since {served.since:%Y-%m-%d %H:%M:%S} UTC"
        return note if failure is None else f"{note}; {_describe(failure)}"

    def _swap_to(self, bundle: LocalBundle, *, is_selected: bool = False) -> ReloadResult:
        old = self.served
        is_new = bundle.digest != old.bundle.digest
        if is_new:
            new = self._ready(bundle)
            if not is_selected:
                self._source.select(bundle)
            self.served = new
        self.failure, self._n_failures = None, 0
        if is_new:
            self._on_swap(old, self.served)
            json_log.logger.info("the served model was replaced: %s", bundle.origin)
        return ReloadResult(self.served, is_new)

    def _ready(self, bundle: LocalBundle) -> ServedModel:
        try:
            return loading.load_model(bundle, self._load)
        except errors.TiercastError as error:
            self.failure = ReloadFailure(error, time.time(), bundle.digest)
            raise

    def _record(self, error: errors.TiercastError) -> None:
        self._n_failures += 1
        if self.failure is None or self.failure.error is not error:
            self.failure = ReloadFailure(error, self.failure.since if self.failure else time.time())
        json_log.logger.warning("the served model stays: %s", error.what)

    def _watch(self) -> None:
        due = time.monotonic() + self._wait_seconds()
        while not self._stop.wait(FOLLOW_SECONDS):
            with contextlib.suppress(errors.TiercastError):
                self._follow()
            if self._poll_seconds and time.monotonic() >= due:
                with contextlib.suppress(errors.TiercastError):
                    self._poll()
                due = time.monotonic() + self._wait_seconds()

    def _follow(self) -> None:
        """Serve the bundle that another process of this service has selected."""
        selected = self._source.selected()
        if selected in (None, self.served.bundle.digest, self._refused_digest()):
            return
        with self._lock:
            cached = self._source.cached()
            if cached is not None and cached.digest == selected:
                self._swap_to(cached, is_selected=True)

    def _poll(self) -> None:
        """Serve the source's latest bundle; one that was refused is not tried again until it changes."""
        with self._lock:
            try:
                latest = self._source.latest()
                if latest.digest != self._refused_digest():
                    self._swap_to(latest)
            except errors.TiercastError as error:
                self._record(error)
                raise

    def _refused_digest(self) -> str | None:
        return self.failure.digest or None if self.failure else None

    def _wait_seconds(self) -> float:
        """Until the next poll: exponential backoff after failures, with jitter so that processes are out of step."""
        backoff = min(FIRST_RETRY * 2 ** (self._n_failures - 1), LAST_RETRY) if self._n_failures else self._poll_seconds
        return backoff * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  spreads load, guards nothing


def _cached(source: BundleSource) -> LocalBundle | None:
    try:
        return source.cached()
    except errors.TiercastError:
        return None


def _describe(failure: ReloadFailure) -> str:
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(failure.since))
    return f"kept although it may not be the newest, since {since} UTC: {failure.error.what}"
