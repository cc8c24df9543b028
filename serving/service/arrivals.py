"""A request as tables: the same columns a file would have, and a number for every row so that it can be named.

A column or attribute that the bundle has learned from must be there for everyone, null where it is unknown: a
forgotten one would look like a customer of whom nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa

from contract import errors, inputs
from features.spec import MARGIN, FeatureSpec
from serving.service.requests import Customer, ScoreRequest

ROW = "tiercast_row"
ARROW = {"id": pa.string(), "time": pa.string(), "label": pa.string(), "money": pa.float64(), "number": pa.float64()}


class Arrivals(NamedTuple):
    """The tables by name, in columns as received, and whether money is a margin."""

    tables: dict[str, pa.Table]
    has_margin: bool


def schemas(spec: FeatureSpec) -> dict[str, pa.Schema]:
    """The columns that this bundle looks at, per table; one schema for all requests."""
    of_spec = {"customer_id", "ordered_at", "amount", "margin", *spec.columns}
    purchases = [column for column in inputs.TRANSACTIONS if column.name in of_spec]
    attributes = [(a.name, pa.float64() if a.kind == "number" else pa.string()) for a in spec.attributes]
    return {
        "transactions": pa.schema([*_fields(purchases), (ROW, pa.int64())]),
        "customers": pa.schema([*_fields(inputs.CUSTOMERS), *attributes, (ROW, pa.int64())]),
        "interactions": pa.schema([*_fields(inputs.INTERACTIONS), (ROW, pa.int64())]),
    }


def arrange(request: ScoreRequest, spec: FeatureSpec) -> Arrivals:
    """The tables of a request. Raises `MissingColumn` and `WrongType`, naming the first place that is at fault."""
    _refuse_gaps(request, spec)
    _refuse_margins(request, spec)
    wanted = schemas(spec)
    people = request.customers
    tables = {
        "transactions": _rows(wanted["transactions"], [(c.customer_id, c.transactions) for c in people]),
        "customers": _customers(wanted["customers"], people, spec),
        "interactions": _rows(wanted["interactions"], [(c.customer_id, c.interactions) for c in people]),
    }
    return Arrivals(tables, _has_margin(request))


def place(request: ScoreRequest, table: str, row: int) -> str:
    """Where the row of a table stands in the request.

    >>> from serving.service.requests import ScoreRequest
    >>> asked = {"as_of": "2024-01-31", "customers": [
    ...     {"customer_id": "a", "transactions": []},
    ...     {"customer_id": "b", "transactions": [{"ordered_at": "2024-01-01", "amount": 1}] * 2}]}
    >>> import json
    >>> place(ScoreRequest.model_validate_json(json.dumps(asked)), "transactions", 1)
    'customers.1.transactions.1'
    """
    if table == "customers":
        return f"customers.{row}"
    for number, customer in enumerate(request.customers):
        here = len(getattr(customer, table))
        if row < here:
            return f"customers.{number}.{table}.{row}"
        row -= here
    raise IndexError(row)


def _fields(columns: Iterable[inputs.Column]) -> list[tuple[str, pa.DataType]]:
    return [(column.name, ARROW[column.kind]) for column in columns]


def _rows(schema: pa.Schema, groups: Sequence[tuple[str, Sequence[object]]]) -> pa.Table:
    lines = [line for _, group in groups for line in group]
    ids = [customer_id for customer_id, group in groups for _ in group]
    columns = {
        name: [getattr(line, name) for line in lines] for name in schema.names if name not in ("customer_id", ROW)
    }
    return pa.table({**columns, "customer_id": ids, ROW: range(len(lines))}, schema=schema)


def _customers(schema: pa.Schema, people: Sequence[Customer], spec: FeatureSpec) -> pa.Table:
    columns = {a.name: [c.attributes[a.name] for c in people] for a in spec.attributes}
    fixed = {"customer_id": [c.customer_id for c in people], "joined_on": [c.joined_on for c in people]}
    return pa.table({**columns, **fixed, ROW: range(len(people))}, schema=schema)


def _refuse_gaps(request: ScoreRequest, spec: FeatureSpec) -> None:
    missing = next(_gaps(request, spec), None)
    if missing is not None:
        raise errors.MissingColumn(
            "the bundle has learned from this and it is not given",
            first=missing,
            hint="give it for every customer, null where it is not known; GET /v1/model lists what the bundle uses",
        )
    for number, customer in enumerate(request.customers):
        for attribute in spec.attributes:
            value = customer.attributes[attribute.name]
            if value is not None and isinstance(value, str) != (attribute.kind == "label"):
                raise errors.WrongType(
                    f"this attribute must be a {attribute.kind}, as it was at training",
                    first=f"customers.{number}.attributes.{attribute.name}",
                    hint="labels are text, numbers are not in quotes; null where it is not known",
                )


def _gaps(request: ScoreRequest, spec: FeatureSpec) -> Iterator[str]:
    needed = ({"joined_on"} if spec.has_joined_on else set()) | ({"interactions"} if spec.contact_kinds else set())
    per_line = {*spec.columns, *(("margin",) if _has_margin(request) else ())}
    for number, customer in enumerate(request.customers):
        here = f"customers.{number}"
        yield from (f"{here}.{name}" for name in sorted(needed - customer.model_fields_set))
        yield from (f"{here}.attributes.{a.name}" for a in spec.attributes if a.name not in customer.attributes)
        for line, purchase in enumerate(customer.transactions):
            if not per_line <= purchase.model_fields_set:
                name = min(per_line - purchase.model_fields_set)
                yield f"{here}.transactions.{line}.{name}"


def _refuse_margins(request: ScoreRequest, spec: FeatureSpec) -> None:
    if _has_margin(request) and MARGIN not in spec.columns:
        raise errors.BundleRefused(
            "the model was trained on amounts, and these transactions have margins",
            first="transactions.margin",
            hint="leave margin out of every transaction",
        )


def _has_margin(request: ScoreRequest) -> bool:
    """One purchase with a margin makes all of them speak of margins, as a column in a file would."""
    return any("margin" in line.model_fields_set for customer in request.customers for line in customer.transactions)
