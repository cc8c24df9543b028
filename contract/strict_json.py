"""Strict JSON, which all parsers read alike: neither NaN nor infinity, no duplicate names in an object."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

# Per byte its role beside a name: the colon after it, a sign before that colon, or anything else.
_ROLES = bytes(b":"[0] if byte == b":"[0] else b"w"[0] if byte in b'" \t\n\r' else b"x"[0] for byte in range(256))


class DuplicateNames(ValueError):
    """An object has a name twice; parsers differ in which of the two values they keep."""


def dumps(data: Any, **how: Any) -> str:
    """As `json.dumps`, with null for NaN and infinity, and text for types that JSON lacks.

    >>> import datetime
    >>> dumps({"auc": float("nan"), "as_of": datetime.date(1998, 7, 1)})
    '{"auc": null, "as_of": "1998-07-01"}'
    """
    return json.dumps(_finite(data), ensure_ascii=False, default=str, allow_nan=False, **how)


def digest(data: Any) -> str:
    """The SHA-256 of the JSON text with sorted keys, as 64 hex digits: equal for equal data.

    >>> digest({"b": 1, "a": [2]}) == digest({"a": [2], "b": 1}) == hashlib.sha256(b'{"a": [2], "b": 1}').hexdigest()
    True
    """
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def refuse_duplicates(body: bytes, n_names: int | None = None) -> None:
    """Raise `DuplicateNames` where an object of `body`, which must be JSON, has a name twice.

    `n_names` is the number of names that another parser kept, which silently drops duplicates. Every name is followed
    by a colon: if the body has no more signs that look like one, no name was dropped, and nothing is parsed again.

    >>> refuse_duplicates(b'{"a": 1, "b": {"a": 2}}')
    >>> refuse_duplicates(b'{"a": 1, "\\\\u0061": 2}')
    Traceback (most recent call last):
    contract.strict_json.DuplicateNames
    """
    if n_names is not None and n_names == body.translate(_ROLES).count(b"w:"):
        return
    json.loads(body.decode("utf-8"), object_pairs_hook=_refuse_duplicate_pairs, parse_int=str, parse_float=str)


def _refuse_duplicate_pairs(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise DuplicateNames


def _finite(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {name: _finite(part) for name, part in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(part) for part in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
