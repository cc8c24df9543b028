"""The words that callers of batch jobs see. No database here, so that a client can know them."""

from __future__ import annotations

from typing import Literal, get_args

NAME = r"[a-z][a-z0-9_-]{0,39}"
"""What a source may be called."""
ID = r"job_[0-9a-f]{16}"

State = Literal["queued", "running", "cancelling", "done", "failed", "cancelled"]
STATES: tuple[State, ...] = get_args(State)
WITH_A_RUNNER: tuple[State, ...] = ("running", "cancelling")
OVER: tuple[State, ...] = ("done", "failed", "cancelled")
