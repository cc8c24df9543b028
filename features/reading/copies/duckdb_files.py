"""A table of a DuckDB file as Parquet: `shop.duckdb#orders` or `duckdb:///shop.duckdb#sales.orders`."""

from __future__ import annotations

import pathlib

from tiercast.contract import errors
from tiercast.features.engines import Engine
from tiercast.features.reading.copies import table_choice
from tiercast.features.reading.copies.named_tables import NamedTable
from tiercast.features.reading.copies.table_choice import Choose

NEWER = "check that no newer DuckDB wrote it and that no other program has it open, or export the table to Parquet"


def copy(engine: Engine, named: NamedTable, choose: Choose, target: pathlib.Path) -> str:
    """Write the columns that `choose` picks to `target`; its path. The file is opened read-only.

    Raises `SourceUnreadable`.
    """
    try:
        with engine.reading(named.place), engine.attached(named.place) as tables:
            chosen = table_choice.pick(named, list(tables))
            engine.con.to_parquet(tables[chosen].select(*choose(tables[chosen].columns)), target)
    except errors.SourceUnreadable as error:
        if error.__cause__ is None:
            raise
        what = error.what.replace("the source", "the DuckDB file", 1)
        raise errors.SourceUnreadable(what, first=named.place, hint=NEWER) from error
    return str(target)
