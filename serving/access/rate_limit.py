"""How often a key may ask: a bucket of tokens for each, in each worker process.

A bucket holds as many as flow in within `BURST_SECONDS`, so that a pause may be made up for. Workers do not tell each
other: a service with two of them lets a key through up to twice as often.
"""

from __future__ import annotations

import time
from collections.abc import Callable

BURST_SECONDS = 2.0


class Rates:
    """Buckets by key id. Only ids of known keys come here, so there are never more buckets than keys."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second, self.clock = per_second, clock
        self.most = max(1.0, per_second * BURST_SECONDS)
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, key_id: str) -> float:
        """0 when the request may pass, and is counted; else the seconds until one may.

        >>> rates = Rates(0.5, clock=lambda: 0.0)
        >>> rates.wait("a"), rates.wait("a"), rates.wait("b")
        (0.0, 2.0, 0.0)
        """
        if self.per_second <= 0:
            return 0.0
        now = self.clock()
        left, since = self._buckets.get(key_id, (self.most, now))
        left = min(self.most, left + (now - since) * self.per_second)
        allowed = left >= 1
        self._buckets[key_id] = (left - 1 if allowed else left, now)
        return 0.0 if allowed else (1 - left) / self.per_second
