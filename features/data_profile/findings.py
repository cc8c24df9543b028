"""A finding: what looks like a misreading, of how many rows, the first one, and what to do."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """`code` stays; `text` says what, how many of how many and the first; `hint` what to do."""

    code: str
    text: str
    hint: str

    def __str__(self) -> str:
        return f"{self.text}: {self.hint}"
