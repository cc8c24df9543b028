"""Rate limits: one token bucket per key, in each worker process.

A bucket holds the tokens of `BURST_SECONDS`, so that a caller can catch up after a pause. Workers share no buckets: a
service with two workers allows a key up to twice the rate.
"""

from __future__ import annotations

import time
from collections.abc import Callable

BURST_SECONDS = 2.0


class RateLimiter:
    """The buckets by key id. Only ids of known keys get here, so there are never more buckets than keys."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second, self.clock = per_second, clock
        self.most = max(1.0, per_second * BURST_SECONDS)
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, key_id: str) -> float:
        """0 if the request is allowed, and then counted; else the seconds until the next one is allowed.

        >>> limiter = RateLimiter(0.5, clock=lambda: 0.0)
        >>> limiter.wait("a"), limiter.wait("a"), limiter.wait("b")
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
