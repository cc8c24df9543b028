"""Which bundle to serve."""

from __future__ import annotations

import pathlib
from typing import NamedTuple


class Found(NamedTuple):
    """A bundle on this disk, and where it came from, in words."""

    folder: pathlib.Path
    origin: str
