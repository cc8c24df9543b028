"""The customers table: one row per customer, its attributes as numbers or text."""

from __future__ import annotations

import datetime

import ibis
from ibis.backends.sql import SQLBackend as Backend
from ibis.expr import types as ir

from tiercast.contract import errors
from tiercast.features.engines import Engine
from tiercast.features.reading import checks, duplicate_ids, row_counts, source_table, validation, values
from tiercast.features.reading.report import TableReport
from tiercast.features.reading.sources import Sources

PLAIN = r"^-?((0|[1-9][0-9]*)(\.[0-9]+)?|\.[0-9]+)$"


def read(engine: Engine, sources: Sources, as_of: datetime.date) -> tuple[ibis.Table, TableReport]:
    """The canonical table and its report. Customers who join on or after `as_of` are dropped."""
    parsed, read_as = source_table.open_table(engine, "customers", sources, as_of)
    validated = validation.validate(parsed, validation.CUSTOMERS, as_of)
    counts = row_counts.count(engine.con, validated, validation.CUSTOMERS)
    checks.cells(counts, validation.CUSTOMERS)
    table = canonical(engine.con, validation.valid_rows(validated))
    return table, row_counts.report("customers", counts, validation.CUSTOMERS.needed, read_as)


def canonical(con: Backend, valid: ibis.Table) -> ibis.Table:
    """customer_id, joined_on as a date if given, then the attributes. Raises `BadInput` for duplicate customers.

    Numbers and booleans become float64, and so does text where every cell is a plain number; all else stays text.
    "007" is no plain number: a column with such a code stays text as a whole.
    """
    refuse_duplicates(con, valid)
    joined = {"joined_on": valid["joined_on"].cast("date")} if "joined_on" in valid.columns else {}
    names = [name for name in valid.columns if name.startswith(validation.OTHER)]
    numeric = _numeric_texts(con, valid, names)
    attributes = {name.removeprefix(validation.OTHER): _attribute(valid[name], name in numeric) for name in names}
    return valid.select(customer_id=valid["customer_id"], **joined, **attributes)


def refuse_duplicates(con: Backend, valid: ibis.Table) -> None:
    """Raise `BadInput` where a customer has more than one row."""
    duplicates = duplicate_ids.find(con, valid)
    if duplicates.n:
        raise errors.BadInput(
            "the customers table has more than one row for them",
            count=duplicates.n,
            total=duplicates.total,
            unit="customers",
            first=f"customer_id={duplicates.first}",
            hint="keep one row per customer, the one known before as_of",
        )


def _numeric_texts(con: Backend, valid: ibis.Table, names: list[str]) -> set[str]:
    """The text columns in which every cell that is not blank is a plain number."""
    texts = [name for name in names if valid[name].type().is_string()]
    if not texts:
        return set()
    checks = {name: values.unblank(valid[name]).re_search(PLAIN).all() for name in texts}
    found = con.to_pyarrow(valid.aggregate(**checks)).to_pylist()[0]
    return {name for name, is_number in found.items() if is_number}


def _attribute(column: ir.Value, is_number: bool) -> ir.Value:
    kind = column.type()
    if is_number:
        return values.unblank(column).try_cast("float64")
    if kind.is_numeric() or kind.is_boolean():
        return values.number(column.cast("int8") if kind.is_boolean() else column, "attribute").value
    return values.label(column, column.get_name().removeprefix(validation.OTHER)).value
