"""The languages every text exists in: English and simplified Chinese."""

from __future__ import annotations

from typing import Literal

Language = Literal["en", "zh"]
