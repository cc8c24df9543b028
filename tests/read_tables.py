"""Reading a file the way the command line does, and what a test wants back: rows, the report, or the refusal."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from tests.make_tables import AS_OF
from tiercast.contract import errors
from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine


def rows(
    source: str,
    as_of: datetime.date | None = AS_OF,
    table: str = "transactions",
    columns: dict[str, str] | None = None,
    duplicates: reading.Duplicates = "keep",
    **others: Any,
) -> list[dict[str, Any]]:
    """The canonical rows of one table, in an order of their own."""
    with DuckDBEngine(threads=1) as engine:
        sources = reading.Sources(source, columns=columns or {}, duplicates=duplicates, **others)
        found = reading.read(engine, sources, as_of)
        expr = getattr(found.tables, table)
        return sorted(engine.con.to_pyarrow(expr).to_pylist(), key=repr)


def column(name: str, source: str, **how: Any) -> list[Any]:
    return [row[name] for row in rows(source, **how)]


def report(
    source: str, as_of: datetime.date | None = AS_OF, columns: dict[str, str] | None = None, **others: Any
) -> reading.ReadingReport:
    places: dict[str, Any] = dict(others)
    sources = reading.Sources(source, columns=columns or {}, **places)
    with DuckDBEngine(threads=1) as engine:
        return reading.read(engine, sources, as_of).report


def refusal(
    kind: type[errors.BadInput],
    source: str,
    as_of: datetime.date | None = AS_OF,
    columns: dict[str, str] | None = None,
    **others: Any,
) -> errors.BadInput:
    """The refusal, checked for what all of them must have."""
    with pytest.raises(kind) as caught:
        report(source, as_of, columns, **others)
    error = caught.value
    assert error.exit_code == 2
    assert error.what
    assert error.first
    assert error.hint
    assert error.count is None or (error.count > 0 and error.total is not None)
    return error
