"""Requests as tables: the same columns a file would have, and for every row numbers by which it can be named.

A column or attribute that the bundle has learned from must be there for everyone, null where it is unknown: a
forgotten one would look like a customer of whom nothing is known.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from contract import errors, inputs
from features.spec import MARGIN, FeatureSpec
from serving.service.requests import Customer, ScoreRequest

REQUEST, ROW = "tiercast_request", "tiercast_row"
ARROW = {"id": pa.string(), "time": pa.string(), "label": pa.string(), "money": pa.float64(), "number": pa.float64()}


@functools.lru_cache(maxsize=8)
def schemas(spec: FeatureSpec) -> dict[str, pa.Schema]:
    """The columns that this bundle looks at, per table; one schema for all requests."""
    of_spec = {"customer_id", "ordered_at", "amount", "margin", *spec.columns}
    purchases = [column for column in inputs.TRANSACTIONS if column.name in of_spec]
    attributes = [(a.name, pa.float64() if a.kind == "number" else pa.string()) for a in spec.attributes]
    numbers = [(REQUEST, pa.int64()), (ROW, pa.int64())]
    return {
        "transactions": pa.schema([*_fields(purchases), *numbers]),
        "customers": pa.schema([*_fields(inputs.CUSTOMERS), *attributes, *numbers]),
        "interactions": pa.schema([*_fields(inputs.INTERACTIONS), *numbers]),
    }


def refuse(request: ScoreRequest, spec: FeatureSpec) -> bool:
    """Whether money is a margin in a request that this bundle can score.

    Raises `MissingColumn`, `WrongType` and `BundleRefused`, naming the first place that is at fault.
    """
    has_margin = _has_margin(request)
    _refuse_gaps(request, spec, {*spec.columns, *(("margin",) if has_margin else ())})
    if has_margin and MARGIN not in spec.columns:
        raise errors.BundleRefused(
            "the model was trained on amounts, and these transactions have margins",
            first="transactions.margin",
            hint="leave margin out of every transaction",
        )
    return has_margin


def arrange(requests: Sequence[ScoreRequest], spec: FeatureSpec) -> dict[str, pa.Table]:
    """The tables by name of requests that were not refused, in columns as received.

    Every row has the number of its request and its own in there.
    """
    wanted = schemas(spec)
    people = [request.customers for request in requests]
    return {
        "transactions": _rows(wanted["transactions"], people, [[c.transactions for c in each] for each in people]),
        "customers": _customers(wanted["customers"], people, spec),
        "interactions": _rows(wanted["interactions"], people, [[c.interactions for c in each] for each in people]),
    }


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


def _rows(
    schema: pa.Schema, people: Sequence[Sequence[Customer]], given: Sequence[Sequence[Sequence[Mapping[str, Any]]]]
) -> pa.Table:
    """The lines of every customer of every request, one below the other."""
    groups = list(itertools.chain.from_iterable(given))
    lines = list(itertools.chain.from_iterable(groups))
    if not lines:
        return _no_rows(schema)
    owners = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    ids = pa.array([customer.customer_id for each in people for customer in each], pa.string())
    names = [name for name in schema.names if name not in ("customer_id", REQUEST, ROW)]
    told: set[str] = set().union(*lines)
    columns: dict[str, Any] = {name: [line.get(name) for line in lines] for name in names if name in told}
    columns |= {name: pa.nulls(len(lines), schema.field(name).type) for name in names if name not in columns}
    sizes = [sum(map(len, each)) for each in given]
    return _table(schema, columns | {"customer_id": ids.take(pa.array(owners))} | _numbered(sizes))


@functools.lru_cache(maxsize=32)
def _no_rows(schema: pa.Schema) -> pa.Table:
    """Most requests tell of no contacts, and making an empty table takes as long as one of a few rows."""
    return schema.empty_table()


def _customers(schema: pa.Schema, asked: Sequence[Sequence[Customer]], spec: FeatureSpec) -> pa.Table:
    people = [customer for customers in asked for customer in customers]
    columns = {a.name: [c.attributes[a.name] for c in people] for a in spec.attributes}
    fixed = {"customer_id": [c.customer_id for c in people], "joined_on": [c.joined_on for c in people]}
    return _table(schema, columns | fixed | _numbered([len(customers) for customers in asked]))


def _table(schema: pa.Schema, columns: Mapping[str, Any]) -> pa.Table:
    """As `pa.table`, which takes twice as long for a few rows."""
    given = ((columns[field.name], field.type) for field in schema)
    arrays = [column if isinstance(column, pa.Array) else pa.array(column, kind) for column, kind in given]
    return pa.Table.from_arrays(arrays, schema=schema)


def _numbered(sizes: Sequence[int]) -> dict[str, NDArray[np.int64]]:
    """Per row the number of its request, and its own number in that request."""
    rows = [np.arange(n) for n in sizes]
    return {REQUEST: np.repeat(np.arange(len(sizes)), sizes), ROW: np.concatenate(rows)}


def _refuse_gaps(request: ScoreRequest, spec: FeatureSpec, per_line: Set[str]) -> None:
    missing = next(_gaps(request, spec, per_line), None)
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


def _gaps(request: ScoreRequest, spec: FeatureSpec, per_line: Set[str]) -> Iterator[str]:
    needed = ({"joined_on"} if spec.has_joined_on else set()) | ({"interactions"} if spec.contact_kinds else set())
    attributes = [attribute.name for attribute in spec.attributes]
    for number, customer in enumerate(request.customers):
        here = f"customers.{number}"
        if needed and not needed <= customer.model_fields_set:
            yield from (f"{here}.{name}" for name in sorted(needed - customer.model_fields_set))
        if attributes:
            yield from (f"{here}.attributes.{name}" for name in attributes if name not in customer.attributes)
        if per_line:
            yield from _gaps_of(customer, here, per_line)


def _gaps_of(customer: Customer, here: str, per_line: Set[str]) -> Iterator[str]:
    for line, purchase in enumerate(customer.transactions):
        if not per_line <= purchase.keys():
            yield f"{here}.transactions.{line}.{min(per_line - purchase.keys())}"


def _has_margin(request: ScoreRequest) -> bool:
    """One purchase with a margin makes all of them speak of margins, as a column in a file would."""
    return any("margin" in line for customer in request.customers for line in customer.transactions)
