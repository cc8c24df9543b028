"""Where a listing goes on: an opaque text that names the generation, the question and the last row seen.

It holds a customer's id, so it travels in a body, never in an address.
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
    """`number` is the last row's sort value; None among those who have none, or where ids sort."""

    generation_id: int
    question: str
    number: float | None
    customer_id: str


def question(*parts: object) -> str:
    """What was asked, in a few letters: a cursor fits only the question it came from."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def written(cursor: Cursor) -> str:
    """The cursor as text.

    >>> text = written(Cursor(3, "0f", 12.5, "c-1"))
    >>> read(text, "0f")
    Cursor(generation_id=3, question='0f', number=12.5, customer_id='c-1')
    """
    return base64.urlsafe_b64encode(json.dumps(cursor, separators=(",", ":")).encode()).decode().rstrip("=")


def read(text: str, asked: str) -> Cursor:
    """The cursor from its text. Raises `BadInput` for one that we never wrote, or wrote for another question."""
    try:
        found = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
        cursor = Cursor(*found)
        is_ours = _is_ours(cursor)
    except (binascii.Error, ValueError, TypeError, AttributeError, RecursionError):
        is_ours = False
    if not is_ours:
        raise errors.BadInput("this is no cursor", first=text[:20], hint="pass `next` of the page before, unchanged")
    if cursor.question != asked:
        hint = "keep filters and sort as they were on the first page, or start again without a cursor"
        raise errors.BadInput("the cursor belongs to another question", first=text[:20], hint=hint)
    return cursor


def _is_ours(parts: tuple[Any, ...]) -> bool:
    """Nothing that a database could not take: anybody can write such a text. Raises `ValueError` for half a letter."""
    generation_id, question, number, customer_id = parts
    customer_id.encode()
    return (
        type(generation_id) is int
        and 0 < generation_id < 1 << 31
        and isinstance(question, str)
        and (number is None or (isinstance(number, float) and math.isfinite(number)))
        and "\0" not in customer_id
    )
