"""Read the input tables: from files to canonical and counted rows, all dated before `as_of`.

>>> import datetime, pathlib, tempfile
>>> from tiercast.features.engines.duckdb import DuckDBEngine
>>> folder = tempfile.TemporaryDirectory()
>>> file = pathlib.Path(folder.name, "orders.csv")
>>> _ = file.write_text("Client,ordered_at,amount\\n007,2024-01-30,12.50\\n,2024-01-31,3\\n007,2024-02-01,9\\n")
>>> with DuckDBEngine() as engine:
...     reading = read(engine, Sources(str(file), columns={"customer_id": "Client"}), datetime.date(2024, 2, 1))
>>> print("\\n".join(reading.report.lines()))
transactions: 1 of 3 rows kept
  1 dropped: no customer id (first: customer_id=(blank), ordered_at=2024-01-31 00:00:00, amount=3.000000)
  1 dropped: dated on or after as_of, not looked at
  the dropped rows hold 19.4% of the money
known before 2024-02-01: 2 days, 2024-01-30 to 2024-01-30
1 customers, 1 of them buyers
"""

from __future__ import annotations

import datetime
from typing import NamedTuple

import ibis

from tiercast.features.engines import Engine
from tiercast.features.reading import columns, customers, interactions, transactions
from tiercast.features.reading.dialect import Dialect
from tiercast.features.reading.presets import Preset
from tiercast.features.reading.report import ReadingReport, TableReport
from tiercast.features.reading.sources import Duplicates, Sources
from tiercast.features.reading.transactions import Transactions
from tiercast.features.tables import Tables

__all__ = ["Dialect", "Duplicates", "Reading", "ReadingReport", "Sources", "TableReport", "Tables", "read"]

READERS = {"customers": customers.read, "interactions": interactions.read}


class Reading(NamedTuple):
    """The canonical tables, the report of rows read and dropped, the day of knowledge, and the preset that was used."""

    tables: Tables
    report: ReadingReport
    as_of: datetime.date
    preset: Preset | None = None


def read(
    engine: Engine,
    sources: Sources,
    as_of: datetime.date | None,
    *,
    is_counted: bool = True,
) -> Reading:
    """Read all rows dated strictly before `as_of`; None means the day after the newest transaction.

    `is_counted=False` saves the passes that count customers, buyers and duplicates. The tables can be read while the
    engine is open. Raises `BadInput`.
    """
    given = {name: source for name, source in sources._asdict().items() if name in columns.TABLES and source}
    columns.check(sources.columns, tuple(given))
    with engine.reading(sources.transactions):
        bought = transactions.read(engine, sources, as_of, is_counted=is_counted)
    base = _optional(engine, sources, "customers", bought.as_of)
    contacts = _optional(engine, sources, "interactions", bought.as_of)
    tables = Tables(bought.table, base.table, contacts.table)
    report = _report(bought, base.report, contacts.report, sources.dialect.timezone)
    return Reading(tables, report, bought.as_of, bought.preset)


class _OptionalTable(NamedTuple):
    table: ibis.Table | None
    report: TableReport | None


def _optional(engine: Engine, sources: Sources, name: str, as_of: datetime.date) -> _OptionalTable:
    source = getattr(sources, name)
    if source is None:
        return _OptionalTable(None, None)
    with engine.reading(source):
        return _OptionalTable(*READERS[name](engine, sources, as_of))


def _report(
    bought: Transactions, base: TableReport | None, contacts: TableReport | None, timezone: str
) -> ReadingReport:
    counts = bought.counts
    return ReadingReport(
        transactions=bought.report,
        customers=base,
        interactions=contacts,
        as_of=bought.as_of,
        first_on=bought.span.first_on,
        last_on=bought.span.last_on,
        converted_to_utc=bought.converted_to_utc,
        n_customers=counts.customers if counts else None,
        n_buyers=counts.buyers if counts else None,
        exact_duplicates=counts.duplicates if counts else None,
        timezone=timezone or "UTC",
        preset=bought.by_preset,
    )
