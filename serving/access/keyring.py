"""The keys in memory, read again every few seconds.

A request never waits for the database. While it does not answer, the keys read last stay good, and the service says so;
a key's own end is kept to all the same. A revoked key stops at the next reading.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tiercast.contract import errors
from tiercast.serving.access import tokens
from tiercast.serving.access.keys import Key, State


class Found(NamedTuple):
    """Whose token it was, and whether it still opens anything."""

    key: Key
    state: State


class Keyring:
    """`find` may be asked by many at once; one thread reads."""

    def __init__(
        self, read: Callable[[], Sequence[Key]], seconds: float, was_read: Callable[[float], None] = lambda _: None
    ) -> None:
        """`was_read` is told the moment of every reading that went well, for a gauge."""
        self._read, self._seconds, self._tell = read, seconds, was_read
        self._keys: Mapping[str, Key] | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.read_at: float | None = None
        self.problem: str | None = "the keys have not been read yet"

    @property
    def was_read(self) -> bool:
        return self._keys is not None

    @property
    def has_keys(self) -> bool:
        """Whether there is any key at all, were it revoked."""
        return bool(self._keys)

    def refresh(self) -> None:
        """Read the keys; where that fails, keep those there are and remember why."""
        try:
            found = {key.key_id: key for key in self._read()}
        except errors.TiercastError as error:
            self.problem = error.what
        except Exception as error:  # whatever a driver raises: the thread must live on
            self.problem = f"the keys cannot be read: {type(error).__name__}"
        else:
            self._keys, self.read_at, self.problem = found, time.time(), None
            self._tell(self.read_at)

    def find(self, text: str, now: dt.datetime | None = None) -> Found | None:
        """The key of a token; None if it is no key's. Takes as long for a wrong secret as for an unknown id."""
        token = tokens.read(text)
        key = (self._keys or {}).get(token.key_id)
        fits = tokens.fits(token.secret, key.secret_hash if key else tokens.NOBODY)
        return Found(key, key.state(now or dt.datetime.now(dt.UTC))) if key is not None and fits else None

    def start(self) -> None:
        """Read now, and go on reading until `stop`."""
        self.refresh()
        self._thread = threading.Thread(target=self._keep_reading, name="tiercast-keys", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=1)

    def _keep_reading(self) -> None:
        while not self._stop.wait(self._seconds):
            self.refresh()
