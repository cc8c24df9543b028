"""Authentication and authorization: a key with one of the required roles, used not too often.

A service without any key responds to clients on the same machine only.
"""

from __future__ import annotations

import contextlib
import functools
import math
import time
from collections.abc import Iterator, Mapping

from starlette.types import Scope

from tiercast.contract import errors
from tiercast.serving.access import keyring, keys, rate_limit, roles, startup
from tiercast.serving.access.keyring import Keyring
from tiercast.serving.http import headers, metrics, readiness, request_context
from tiercast.serving.http.error_responses import HttpError
from tiercast.serving.http.limits import Limits

MAX_HEADER_BYTES = 200
REALM = 'Bearer realm="tiercast"'
UNKNOWN_KEY = "the key is not known, has ended or was revoked"
LOCAL_HINT = "use http://127.0.0.1 on the same machine, or start the service with --store and keys"


class Authenticator:
    """Checks the keys of requests. `keyring` is None without a store; `is_local` lets local clients in without keys."""

    def __init__(self, keyring: Keyring | None, rates: rate_limit.RateLimiter, *, is_local: bool) -> None:
        self.keyring, self.rates, self.is_local = keyring, rates, is_local

    def authorize(self, scope: Scope, required: tuple[roles.Role, ...]) -> None:
        """Check the key of a request, and record it in the context.

        Raises `HttpError`: 401, 403, 429, or 503 while the keys were never read.
        """
        if self.is_open():
            _require_local(scope)
            return
        key = self.authenticate(headers.single(scope, b"authorization"))
        if not roles.is_allowed(key.roles, required):
            metrics.REFUSED.labels("role").inc()
            challenge = {"WWW-Authenticate": f'{REALM}, error="insufficient_scope"'}
            raise HttpError(403, challenge, message=f"this needs a key with the role {' or '.join(required)}")
        wait = self.rates.wait(key.key_id)
        if wait > 0:
            metrics.REFUSED.labels("rate").inc()
            raise HttpError(429, {"Retry-After": str(math.ceil(wait))})

    def is_open(self) -> bool:
        """Whether no key is required. One key in the store, even a revoked one, ends that."""
        return self.is_local and (self.keyring is None or (self.keyring.was_read and not self.keyring.has_keys))

    def authenticate(self, authorization: bytes) -> keys.Key:
        """The key of an Authorization header. Raises `HttpError` 401 or 503."""
        if self.keyring is None or not self.keyring.was_read:
            raise HttpError(503, {"Retry-After": "5"}, message="the keys cannot be read")
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() != b"bearer" or len(authorization) > MAX_HEADER_BYTES:
            metrics.REFUSED.labels("none").inc()
            raise HttpError(401, {"WWW-Authenticate": REALM})
        entry = self.keyring.find(token.strip().decode("latin-1"))
        if entry is not None:
            context = request_context.current()
            context.key_id, context.key_name = entry.key.key_id, entry.key.name
        if entry is None or entry.state != "live":
            metrics.REFUSED.labels("unknown" if entry is None else entry.state).inc()
            challenge = {"WWW-Authenticate": f'{REALM}, error="invalid_token"'}
            raise HttpError(401, challenge, code="WrongKey", message=UNKNOWN_KEY)
        return entry.key

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Inside the block, read the keys again and again, and show their state in /readyz."""
        ring = self.keyring
        if ring is None:
            yield
            return
        readiness.register("keys", functools.partial(_state, ring))
        ring.start()
        try:
            yield
        finally:
            ring.stop()
            readiness.unregister("keys")


def from_env(environment: Mapping[str, str], limits: Limits) -> Authenticator:
    """The authenticator for TIERCAST_STORE and TIERCAST_LOCAL."""
    store = environment.get("TIERCAST_STORE")
    ring = keyring.Keyring(keys.reader(store), limits.keys_seconds, metrics.KEYS_READ.set) if store else None
    return Authenticator(ring, rate_limit.RateLimiter(limits.rate), is_local=environment.get(startup.LOCAL) == "1")


def check(environment: Mapping[str, str]) -> None:
    """Raises `BadInput` before the service listens, where no client could ever be authorized."""
    if not environment.get("TIERCAST_STORE") and environment.get(startup.LOCAL) != "1":
        hint = f"set TIERCAST_STORE to a store that has keys; or {startup.LOCAL}=1, for callers on this machine only"
        raise errors.BadInput("the service has no keys, so it could authorize no caller", hint=hint)


def _state(ring: Keyring) -> readiness.State:
    if ring.problem is None:
        return readiness.State(True, "read")
    if ring.read_at is None:
        return readiness.State(False, ring.problem)
    return readiness.State(True, f"{ring.problem}; the keys read {time.time() - ring.read_at:.0f} s ago are used")


def _require_local(scope: Scope) -> None:
    """Keep out pages of other sites that reach this machine through the browser, under whatever host name."""
    server, host = scope.get("server"), headers.single(scope, b"host").decode("latin-1")
    name = host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    if server is None or not _is_local(str(server[0])) or not _is_local(name.lower()):
        metrics.REFUSED.labels("stranger").inc()
        message = "without keys, only callers on this machine are allowed"
        raise HttpError(403, code="NotLocal", message=message, hint=LOCAL_HINT)


@functools.lru_cache(maxsize=64)
def _is_local(name: str) -> bool:
    return name == "localhost" or startup.is_loopback(name)
