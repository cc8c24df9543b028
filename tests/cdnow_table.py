"""CDNOW for tests, read the way the demo reads it."""

from __future__ import annotations

from tiercast.demo.cdnow import cdnow, write_parquet

__all__ = ["cdnow", "write_parquet"]
