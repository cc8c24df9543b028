"""Keeps the served bundle what it should be: swaps it when told to, and when the registry or another process moved on.

Nothing that goes wrong here changes what is served: a bundle is exchanged only for one that is ready to answer.
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from tiercast.contract import errors
from tiercast.serving.model_manager.served_model import Served
from tiercast.serving.model_manager.source import Found, Source

FOLLOW_SECONDS = 1.0
FIRST_RETRY, LAST_RETRY, JITTER = 5.0, 300.0, 0.2
Prepare = Callable[[Found], Served]
Told = Callable[[Served, Served], None]
log = logging.getLogger("bentoml.tiercast")


class Trouble(NamedTuple):
    """Why the newest bundle is not served. `mark` is that of a bundle that was refused, else empty."""

    error: errors.TiercastError
    since: float
    mark: str = ""


class Reloaded(NamedTuple):
    """What answers after a reload, and whether that is another bundle than before."""

    served: Served
    is_new: bool


def start(source: Source, prepare: Prepare) -> tuple[Served, Trouble | None]:
    """The first bundle to serve: what the source says now, else what this machine already has.

    Raises what the source says when there is nothing here either, or it cannot be served.
    """
    try:
        served = prepare(source.ask())
        source.keep(served.found)
    except errors.TiercastError as error:
        here = _here(source)
        if here is None:
            raise
        return prepare(here), Trouble(error, time.time())
    return served, None


class Keeper:
    """Exchanges `served`, what answers now. `every` is how often the source is asked, in seconds; 0 for never.

    Whoever answers takes `served` once per request: what was exchanged meanwhile still answers that one.
    """

    def __init__(
        self, source: Source, prepare: Prepare, first: Served, trouble: Trouble | None = None, *, every: float = 0.0,
        told: Told = lambda _old, _new: None,
    ) -> None:  # fmt: skip
        self.served = first
        self._source, self._prepare, self._every, self._told = source, prepare, every, told
        self._trouble = trouble
        self._failures = 1 if trouble else 0
        self._one_at_a_time = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="bundle", daemon=True)

    def start_watching(self) -> None:
        """Follow the other processes, and the source if `every` says so."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def reload(self) -> Reloaded:
        """Ask the source and serve what it says. Raises its error, or `BundleRefused`; the old bundle then stays."""
        with self._one_at_a_time:
            try:
                return self._swap_to(self._source.ask())
            except errors.TiercastError as error:
                self._note(error)
                raise

    def state(self) -> str:
        """What is served and since when, and what is wrong if anything is: for /readyz, so without places and names."""
        served, trouble = self.served, self._trouble
        note = f"{served.online.bundle.about.model}, since {served.since:%Y-%m-%d %H:%M:%S} UTC"
        return note if trouble is None else f"{note}; {_told(trouble)}"

    def _swap_to(self, found: Found, mark: str = "") -> Reloaded:
        old = self.served
        if found.mark == old.found.mark:
            self._trouble, self._failures = None, 0
            return Reloaded(old, False)
        new = self._ready(found)
        if not mark:
            self._source.choose(found)
        self.served = new
        self._trouble, self._failures = None, 0
        self._told(old, new)
        log.info("the bundle was exchanged: %s", found.origin)
        return Reloaded(new, True)

    def _ready(self, found: Found) -> Served:
        try:
            return self._prepare(found)
        except errors.TiercastError as error:
            self._trouble = Trouble(error, time.time(), found.mark)
            raise

    def _note(self, error: errors.TiercastError) -> None:
        self._failures += 1
        if self._trouble is None or self._trouble.error is not error:
            self._trouble = Trouble(error, self._trouble.since if self._trouble else time.time())
        log.warning("the bundle stays as it is: %s", error.what)

    def _watch(self) -> None:
        due = time.monotonic() + self._wait()
        while not self._stop.wait(FOLLOW_SECONDS):
            with contextlib.suppress(errors.TiercastError):
                self._follow()
            if self._every and time.monotonic() >= due:
                with contextlib.suppress(errors.TiercastError):
                    self._look()
                due = time.monotonic() + self._wait()

    def _follow(self) -> None:
        """Serve what another process of this service has chosen."""
        chosen = self._source.chosen()
        if chosen in (None, self.served.found.mark, self._refused()):
            return
        with self._one_at_a_time:
            found = self._source.here()
            if found is not None and found.mark == chosen:
                self._swap_to(found, chosen)

    def _look(self) -> None:
        """Ask the source by itself: a bundle that was refused is not tried again before it changes."""
        with self._one_at_a_time:
            try:
                found = self._source.ask()
                if found.mark != self._refused():
                    self._swap_to(found)
            except errors.TiercastError as error:
                self._note(error)
                raise

    def _refused(self) -> str | None:
        return self._trouble.mark or None if self._trouble else None

    def _wait(self) -> float:
        """Until the source is asked again: sooner after a failure, then ever later; never in step with others."""
        backoff = min(FIRST_RETRY * 2 ** (self._failures - 1), LAST_RETRY) if self._failures else self._every
        return backoff * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  spreads load, guards nothing


def _here(source: Source) -> Found | None:
    try:
        return source.here()
    except errors.TiercastError:
        return None


def _told(trouble: Trouble) -> str:
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(trouble.since))
    return f"kept although it may not be the newest, since {since} UTC: {trouble.error.what}"
