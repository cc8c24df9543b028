"""The request that is being answered: its id, who asks, how many customers it was about.

`current()` works wherever the request is answered, in a thread too: a copied context holds the same object.
"""

from __future__ import annotations

import contextvars
import dataclasses
import re
import secrets
import time

SANE = re.compile(rb"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9A-HJKMNP-TV-Z]{26}")
"""A UUID with or without dashes, or a ULID. Anything else could be text to forge a log line with, or a customer."""


@dataclasses.dataclass
class Asking:
    """What is known of a request when its answer is logged. `body` is there while it is being answered."""

    method: str
    route: str
    request_id: str
    key_id: str | None = None
    key_name: str | None = None
    customers: int | None = None
    body: bytes = b""
    started: float = dataclasses.field(default_factory=time.perf_counter)


CURRENT: contextvars.ContextVar[Asking] = contextvars.ContextVar("tiercast_asking")


def current() -> Asking:
    """The request being answered; outside of one, an empty one that nobody reads."""
    return CURRENT.get(Asking("", "", ""))


def count(customers: int) -> None:
    """Say how many customers the request was about, for the audit log."""
    current().customers = customers


def request_id(sent: list[bytes]) -> str:
    """The caller's id of a request if it is a plain one, else a new one.

    >>> request_id([b"4bf92f3577b34da6a3ce929d0e0e4736"])
    '4bf92f3577b34da6a3ce929d0e0e4736'
    >>> len(request_id([b"c-00917"])), len(request_id([]))
    (32, 32)
    """
    if len(sent) == 1 and SANE.fullmatch(sent[0]):
        return sent[0].decode()
    return secrets.token_hex(16)
