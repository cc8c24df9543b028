"""The API keys in memory, refreshed every few seconds.

A request never waits for the database. While the database is away, the keys of the last refresh stay valid until they
expire, and /readyz reports the problem. A revoked key is refused after the next refresh.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tiercast.contract import errors
from tiercast.serving.access import tokens
from tiercast.serving.access.keys import Key, KeyState


class KeyMatch(NamedTuple):
    """The key of a token, and its state."""

    key: Key
    state: KeyState


class Keyring:
    """`find` may be called by many threads; one thread refreshes."""

    def __init__(
        self, read: Callable[[], Sequence[Key]], seconds: float, on_refresh: Callable[[float], None] = lambda _: None
    ) -> None:
        """`on_refresh` is called with the time of every successful refresh, for a gauge."""
        self._read, self._seconds, self._on_refresh = read, seconds, on_refresh
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
        """Whether there is any key, revoked keys included."""
        return bool(self._keys)

    def refresh(self) -> None:
        """Read the keys; if that fails, keep the old ones and set `problem`."""
        try:
            keys = {key.key_id: key for key in self._read()}
        except errors.TiercastError as error:
            self.problem = error.what
        except Exception as error:  # whatever a driver raises: the thread must live on
            self.problem = f"the keys cannot be read: {type(error).__name__}"
        else:
            self._keys, self.read_at, self.problem = keys, time.time(), None
            self._on_refresh(self.read_at)

    def find(self, text: str, now: dt.datetime | None = None) -> KeyMatch | None:
        """The key of a token, or None. A wrong secret takes as long as an unknown id."""
        token = tokens.parse(text)
        key = (self._keys or {}).get(token.key_id)
        is_valid = tokens.matches(token.secret, key.secret_hash if key else tokens.NO_HASH)
        return KeyMatch(key, key.state(now or dt.datetime.now(dt.UTC))) if key is not None and is_valid else None

    def start(self) -> None:
        """Refresh now, then every few seconds until `stop`."""
        self.refresh()
        self._thread = threading.Thread(target=self._run, name="tiercast-keys", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=1)

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            self.refresh()
