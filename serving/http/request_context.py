"""The request that is being handled: its id, its key, and the number of customers in it.

`current()` works wherever the request is handled, in threads too: a copied context holds the same object.
"""

from __future__ import annotations

import contextvars
import dataclasses
import re
import secrets
import time

PLAIN_ID = re.compile(rb"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9A-HJKMNP-TV-Z]{26}")
"""A UUID with or without dashes, or a ULID. Any other text could forge a log line or name a customer."""


@dataclasses.dataclass(slots=True)
class RequestContext:
    """What is known of a request when its response is logged. `started` is a reading of `time.perf_counter`."""

    request_id: str
    key_id: str | None = None
    key_name: str | None = None
    customers: int | None = None
    started: float = dataclasses.field(default_factory=time.perf_counter)


CURRENT: contextvars.ContextVar[RequestContext] = contextvars.ContextVar("tiercast_request")


def current() -> RequestContext:
    """The context of the request; outside of one, an empty context that is not kept."""
    try:
        return CURRENT.get()
    except LookupError:
        return RequestContext("")


def count_customers(n_customers: int) -> None:
    """Set how many customers the request was about, for the audit log."""
    current().customers = n_customers


def request_id(sent: list[bytes]) -> str:
    """The client's id of the request if it is a plain one, else a new one.

    >>> request_id([b"4bf92f3577b34da6a3ce929d0e0e4736"])
    '4bf92f3577b34da6a3ce929d0e0e4736'
    >>> len(request_id([b"c-00917"])), len(request_id([]))
    (32, 32)
    """
    if len(sent) == 1 and PLAIN_ID.fullmatch(sent[0]):
        return sent[0].decode()
    return secrets.token_hex(16)
