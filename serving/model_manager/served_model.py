"""A bundle that is ready to answer."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from tiercast.serving.model_manager.source import Found
from tiercast.serving.online.scorer import Online


class Served(NamedTuple):
    """What answers, what is said about it at /v1/model, where it came from and since when."""

    online: Online
    card: bytes
    found: Found
    since: dt.datetime
