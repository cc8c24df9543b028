"""The limits of the service, from the environment: each has a default, and an invalid one is refused at the start."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from tiercast.contract import errors


class Limits(NamedTuple):
    """`rate` is requests per second, key and worker process, 0 for no limit; `in_flight` is per worker process.

    `workers` are processes, and `threads` of each score large requests.
    """

    workers: int = 1
    threads: int = 1
    body_mb: float = 10.0
    body_seconds: float = 20.0
    answer_seconds: float = 50.0
    in_flight: float = 100.0
    rate: float = 200.0
    keys_seconds: float = 5.0
    poll_seconds: float = 60.0

    @property
    def body_bytes(self) -> int:
        return int(self.body_mb * 1024 * 1024)


MAY_BE_ZERO = ("rate", "poll_seconds")
WHOLE = ("workers", "threads")


def from_env(environment: Mapping[str, str]) -> Limits:
    """The limits from TIERCAST_BODY_MB and so on. Raises `BadInput`.

    >>> from_env({"TIERCAST_RATE": "20"}).rate
    20.0
    """
    names = {name: f"TIERCAST_{name.upper()}" for name in Limits._fields}
    given = {name: _number(name, environment[var], var) for name, var in names.items() if var in environment}
    return Limits(**given)  # type: ignore[arg-type]  # a whole number where one is due


def _number(name: str, text: str, variable: str) -> float:
    is_whole = name in WHOLE
    try:
        number = int(text) if is_whole else float(text)
    except ValueError:
        number = math.nan
    if math.isfinite(number) and (number > 0 or (number == 0 and name in MAY_BE_ZERO)):
        return number
    hint = f"set {variable} to a number above zero, such as {getattr(Limits(), name):g}"
    what = f"a limit of the service is not a valid {'whole number' if is_whole else 'number'}"
    raise errors.BadInput(what, first=f"{variable}={text}", hint=hint)
