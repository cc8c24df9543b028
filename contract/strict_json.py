"""JSON that every reader takes the same way: no number that is none, no name twice in one object."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

# Per byte what it may be to a name: its colon, what stands before the colon, or anything else.
_ROLES = bytes(b":"[0] if byte == b":"[0] else b"w"[0] if byte in b'" \t\n\r' else b"x"[0] for byte in range(256))


class Twins(ValueError):
    """A name stands twice in one object; readers differ in which of the two they believe."""


def dumps(data: Any, **how: Any) -> str:
    """As `json.dumps`, with null for nan and infinity, and text for what JSON does not know.

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


def refuse_twins(body: bytes, n_names: int | None = None) -> None:
    """Raises `Twins` if a name comes twice in one object of `body`, which must be JSON.

    `n_names` is how many names a reader kept who lets the later twin win. Every name is followed by a colon, so if the
    body has no more places that look like one, none was lost, and there is nothing to read again.

    >>> refuse_twins(b'{"a": 1, "b": {"a": 2}}')
    >>> refuse_twins(b'{"a": 1, "\\\\u0061": 2}')
    Traceback (most recent call last):
    contract.strict_json.Twins
    """
    if n_names is not None and n_names == body.translate(_ROLES).count(b"w:"):
        return
    json.loads(body.decode("utf-8"), object_pairs_hook=_refuse_twin, parse_int=str, parse_float=str)


def _refuse_twin(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise Twins


def _finite(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {name: _finite(part) for name, part in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(part) for part in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
