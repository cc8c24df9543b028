"""JSON that every reader accepts: a number that is none (an AUC with one class only) is null."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def dumps(data: Any, **how: Any) -> str:
    """As `json.dumps`, with null for nan and infinity, and text for what JSON does not know.

    >>> import datetime
    >>> dumps({"auc": float("nan"), "as_of": datetime.date(1998, 7, 1)})
    '{"auc": null, "as_of": "1998-07-01"}'
    """
    return json.dumps(_finite(data), ensure_ascii=False, default=str, allow_nan=False, **how)


def _finite(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {name: _finite(part) for name, part in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(part) for part in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
