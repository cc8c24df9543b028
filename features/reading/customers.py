"""The customers table: one row per customer, its attributes as numbers or text."""

from __future__ import annotations

import datetime

import ibis
from ibis.backends.sql import SQLBackend as Backend
from ibis.expr import types as ir

from tiercast.contract import errors
from tiercast.features.engines import Engine
from tiercast.features.reading import checks, source_table, validation, values
from tiercast.features.reading import row_counts as tallies
from tiercast.features.reading.report import TableReport
from tiercast.features.reading.sources import Sources

PLAIN = r"^-?((0|[1-9][0-9]*)(\.[0-9]+)?|\.[0-9]+)$"


def read(engine: Engine, place: Sources, as_of: datetime.date) -> tuple[ibis.Table, TableReport]:
    """The canonical table and its report. A customer without a joining date is known; one who joins later is not."""
    parsed = source_table.open_table(engine, "customers", place)
    judged = validation.judge(parsed, validation.CUSTOMERS, as_of)
    tally = tallies.count(engine.con, judged, validation.CUSTOMERS)
    checks.cells(tally, validation.CUSTOMERS)
    table = canonical(engine.con, validation.kept(judged))
    return table, tallies.report("customers", tally, validation.CUSTOMERS.needed)


def canonical(con: Backend, kept: ibis.Table) -> ibis.Table:
    """customer_id, joined_on as a date if given, then the attributes. Raises `BadInput` when an id comes twice.

    Numbers, booleans and text in which every cell is a plain number become float64, all else text; "007" is no plain
    number, and neither is a cell of a column with one such id.
    """
    refuse_twins(con, kept)
    joined = {"joined_on": kept["joined_on"].cast("date")} if "joined_on" in kept.columns else {}
    names = [name for name in kept.columns if name.startswith(validation.OTHER)]
    numeric = _numeric_texts(con, kept, names)
    attributes = {name.removeprefix(validation.OTHER): _attribute(kept[name], name in numeric) for name in names}
    return kept.select(customer_id=kept["customer_id"], **joined, **attributes)


def refuse_twins(con: Backend, kept: ibis.Table) -> None:
    """Raise `BadInput` when a customer has more than one row."""
    by_id = kept.group_by("customer_id").aggregate(n=kept.count())
    twins = by_id.filter(by_id["n"] > 1)
    found = con.to_pyarrow(twins.aggregate(n=twins.count(), first=twins["customer_id"].min())).to_pylist()[0]
    if found["n"]:
        total = int(con.to_pyarrow(by_id.count()).as_py())
        raise errors.BadInput(
            "the customers table has more than one row for them",
            count=found["n"],
            total=total,
            unit="customers",
            first=f"customer_id={found['first']}",
            hint="keep one row per customer, the one known before as_of",
        )


def _numeric_texts(con: Backend, kept: ibis.Table, names: list[str]) -> set[str]:
    """The text columns in which every cell that is not blank is a plain number."""
    texts = [name for name in names if kept[name].type().is_string()]
    if not texts:
        return set()
    checks = {name: values.unblank(kept[name]).re_search(PLAIN).all() for name in texts}
    found = con.to_pyarrow(kept.aggregate(**checks)).to_pylist()[0]
    return {name for name, is_number in found.items() if is_number}


def _attribute(column: ir.Value, is_number: bool) -> ir.Value:
    kind = column.type()
    if is_number:
        return values.unblank(column).try_cast("float64")
    if kind.is_numeric() or kind.is_boolean():
        return values.number(column.cast("int8") if kind.is_boolean() else column, "attribute").value
    return values.label(column, column.get_name().removeprefix(validation.OTHER)).value
