"""Names, ids and states of batch jobs. No database is imported, so that the client can use them."""

from __future__ import annotations

from typing import Literal, get_args

NAME = r"[a-z][a-z0-9_-]{0,39}"
"""Pattern of a source's name."""
ID = r"job_[0-9a-f]{16}"
"""Pattern of a job's id."""

State = Literal["queued", "running", "cancelling", "done", "failed", "cancelled"]
STATES: tuple[State, ...] = get_args(State)
CLAIMED: tuple[State, ...] = ("running", "cancelling")
ENDED: tuple[State, ...] = ("done", "failed", "cancelled")
