"""Who comes in: on this machine without keys everybody, else whoever has a key for what is asked, not too often."""

from __future__ import annotations

import contextlib
import functools
import math
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from starlette.types import Scope

from tiercast.contract import errors
from tiercast.serving.access import keyring, keys, rate_limit, roles, startup
from tiercast.serving.access.keyring import Keyring
from tiercast.serving.http import error_responses, headers, metrics, readiness, request_context
from tiercast.serving.http.limits import Limits

LONGEST_HEADER = 200
UNKNOWN = "the key is not known, has ended or was revoked"


class Door(NamedTuple):
    """`ring` is None where there is no store. `is_local`: without any key, callers on this machine may ask."""

    ring: Keyring | None
    rates: rate_limit.Rates
    is_local: bool

    def admit(self, scope: Scope, needed: tuple[roles.Role, ...]) -> None:
        """Note whose key it is. Raises `Refused`: 401, 403, 429, or 503 while the keys were never read."""
        if not needed:
            return
        if self.is_open():
            _refuse_strangers(scope)
            return
        key = self._key(headers.once(scope, b"authorization"))
        if not roles.may(key.roles, needed):
            metrics.REFUSED.labels("role").inc()
            told = {"WWW-Authenticate": 'Bearer realm="tiercast", error="insufficient_scope"'}
            raise error_responses.Refused(403, told, message=f"this needs a key with the role {' or '.join(needed)}")
        wait = self.rates.wait(key.key_id)
        if wait > 0:
            metrics.REFUSED.labels("rate").inc()
            raise error_responses.Refused(429, {"Retry-After": str(math.ceil(wait))})

    def is_open(self) -> bool:
        """As soon as there is one key, even a revoked one, keys are asked for."""
        return self.is_local and (self.ring is None or (self.ring.was_read and not self.ring.has_keys))

    def _key(self, sent: bytes) -> keys.Key:
        if self.ring is None or not self.ring.was_read:
            raise error_responses.Refused(503, {"Retry-After": "5"}, message="the keys cannot be read")
        scheme, _, token = sent.partition(b" ")
        if scheme.lower() != b"bearer" or len(sent) > LONGEST_HEADER:
            metrics.REFUSED.labels("none").inc()
            raise error_responses.Refused(401, {"WWW-Authenticate": 'Bearer realm="tiercast"'})
        found = self.ring.find(token.strip().decode("latin-1"))
        if found is not None:
            request_context.current().key_id, request_context.current().key_name = found.key.key_id, found.key.name
        if found is None or found.state != "live":
            metrics.REFUSED.labels("unknown" if found is None else found.state).inc()
            told = {"WWW-Authenticate": 'Bearer realm="tiercast", error="invalid_token"'}
            raise error_responses.Refused(401, told, code="WrongKey", message=UNKNOWN)
        return found.key

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Read the keys again and again inside the block, and tell /readyz of it."""
        if self.ring is None:
            yield
            return
        readiness.register("keys", functools.partial(_state, self.ring))
        self.ring.start()
        try:
            yield
        finally:
            self.ring.stop()
            readiness.unregister("keys")


def of(environment: Mapping[str, str], limits: Limits) -> Door:
    """The door that TIERCAST_STORE and TIERCAST_LOCAL ask for."""
    store = environment.get("TIERCAST_STORE")
    read_every = (limits.keys_seconds, metrics.KEYS_READ.set)
    ring = keyring.Keyring(keys.reader(store), *read_every) if store else None
    return Door(ring, rate_limit.Rates(limits.rate), environment.get(startup.LOCAL) == "1")


def check(environment: Mapping[str, str]) -> None:
    """Before anything listens. Raises `BadInput` where nobody could ever come in."""
    if not environment.get("TIERCAST_STORE") and environment.get(startup.LOCAL) != "1":
        hint = f"set TIERCAST_STORE to a store that has keys, or {startup.LOCAL}=1 to answer this machine without keys"
        raise errors.BadInput("the service has no keys to ask for", hint=hint)


def _state(ring: Keyring) -> readiness.State:
    if ring.problem is None:
        return readiness.State(True, "read")
    if ring.read_at is None:
        return readiness.State(False, ring.problem)
    return readiness.State(True, f"{ring.problem}; the keys read {time.time() - ring.read_at:.0f} s ago are used")


def _refuse_strangers(scope: Scope) -> None:
    """A page of another site must not reach this machine's service through the browser, under whatever name."""
    server, host = scope.get("server"), headers.once(scope, b"host").decode("latin-1")
    name = host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    if server is None or not _is_here(str(server[0])) or not _is_here(name.lower()):
        metrics.REFUSED.labels("stranger").inc()
        raise error_responses.Refused(
            403, code="NotLocal", message="without keys, only this machine is answered", hint=LOCALLY
        )


LOCALLY = "ask http://127.0.0.1 from the same machine, or start the service with --store and keys"


@functools.lru_cache(maxsize=64)
def _is_here(name: str) -> bool:
    return name == "localhost" or startup.is_loopback(name)
