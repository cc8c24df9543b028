"""The cursor of a paginated search: an opaque text with the generation, the query and the last row of the page.

It contains a customer's id, so it belongs in a request body, never in a URL.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
from typing import Any, NamedTuple

from tiercast.contract import errors


class Cursor(NamedTuple):
    """`number` is the last row's sort value; None for a row without one, or where ids are the order."""

    generation_id: int
    query: str
    number: float | None
    customer_id: str


def fingerprint(*parts: object) -> str:
    """A short hash of a query's filters and sort: a cursor is only valid for the query it came from."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def encode(cursor: Cursor) -> str:
    """The cursor as text.

    >>> text = encode(Cursor(3, "0f", 12.5, "c-1"))
    >>> decode(text, "0f")
    Cursor(generation_id=3, query='0f', number=12.5, customer_id='c-1')
    """
    return base64.urlsafe_b64encode(json.dumps(cursor, separators=(",", ":")).encode()).decode().rstrip("=")


def decode(text: str, query: str) -> Cursor:
    """The cursor in a text. Raises `BadInput` for a text that we never wrote, or wrote for another query."""
    try:
        cursor = Cursor(*json.loads(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)))
        is_ours = _is_ours(cursor)
    except (binascii.Error, ValueError, TypeError, AttributeError, RecursionError):
        is_ours = False
    if not is_ours:
        raise errors.BadInput("this is no cursor", first=text[:20], hint="pass `next` of the page before, unchanged")
    if cursor.query != query:
        hint = "keep filters and sort as they were on the first page, or start again without a cursor"
        raise errors.BadInput("the cursor belongs to another query", first=text[:20], hint=hint)
    return cursor


def _is_ours(parts: tuple[Any, ...]) -> bool:
    """Whether a database accepts every part of a text that anybody can write. `ValueError`: half a surrogate pair."""
    generation_id, query, number, customer_id = parts
    customer_id.encode()
    return (
        type(generation_id) is int
        and 0 < generation_id < 1 << 31
        and isinstance(query, str)
        and (number is None or (isinstance(number, float) and math.isfinite(number)))
        and "\0" not in customer_id
    )
