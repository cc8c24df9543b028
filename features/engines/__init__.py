"""The engines that run the expressions. Connections are opened in this package and nowhere else."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import ibis
import pyarrow as pa
from ibis.backends.sql import SQLBackend
from ibis.expr import types as ir


class Engine(Protocol):
    """The interface of an engine, as reading and building features use it."""

    @property
    def con(self) -> SQLBackend: ...

    @property
    def folder(self) -> pathlib.Path | None: ...

    @property
    def reads_remote(self) -> bool: ...

    def parquet(self, files: Sequence[str]) -> ibis.Table: ...

    def text(
        self, files: Sequence[str], names: Sequence[str], delimiter: str, *, skipped: int = 0, has_header: bool = True
    ) -> ibis.Table: ...

    def json(self, files: Sequence[str]) -> ibis.Table: ...

    def attached(self, file: str) -> AbstractContextManager[Mapping[str, ibis.Table]]: ...

    def store(self, name: str, expr: ibis.Table, buckets: int = 1) -> ibis.Table: ...

    def bucket(self, name: str, k: int) -> ibis.Table: ...

    def slices(self, name: str, rows: int) -> Iterator[pa.Table]: ...

    def wall_clock(self, value: ir.Value, zone: str) -> ir.Value: ...

    def reading(self, source: str) -> AbstractContextManager[None]: ...
