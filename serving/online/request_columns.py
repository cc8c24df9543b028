"""Requests as tables: the same columns a file would have, and for every row numbers by which it can be named.

A column or attribute that the bundle has learned from must be there for everyone, null where it is unknown: a
forgotten one would look like a customer of whom nothing is known.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, Literal

import ibis
import numpy as np

from tiercast.contract import errors, inputs
from tiercast.features.engines.arrays import Column, Given
from tiercast.features.engines.arrays import column as columns
from tiercast.features.spec import MARGIN, FeatureSpec
from tiercast.serving.online.requests import Customer, ScoreRequest

REQUEST, ROW = "tiercast_request", "tiercast_row"
TEXT, NUMBER = "string", "float64"
TYPES = {"id": TEXT, "time": TEXT, "label": TEXT, "money": NUMBER, "number": NUMBER}
READERS: Mapping[str, Callable[[list[Any]], Column]] = {TEXT: columns.of_texts, NUMBER: columns.of_numbers}
Schema = dict[str, str]


@functools.lru_cache(maxsize=8)
def schemas(spec: FeatureSpec) -> dict[str, Schema]:
    """The columns that this bundle looks at, per table; the same for all requests."""
    of_spec = {"customer_id", "ordered_at", "amount", "margin", *spec.columns}
    purchases = [column for column in inputs.TRANSACTIONS if column.name in of_spec]
    attributes = {a.name: NUMBER if a.kind == "number" else TEXT for a in spec.attributes}
    numbers = {REQUEST: "int64", ROW: "int64"}
    return {
        "transactions": _fields(purchases) | numbers,
        "customers": _fields(inputs.CUSTOMERS) | attributes | numbers,
        "interactions": _fields(inputs.INTERACTIONS) | numbers,
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


def arrange(requests: Sequence[ScoreRequest], spec: FeatureSpec) -> dict[str, Given]:
    """The tables by name of requests that were not refused, in columns as received.

    Every row has the number of its request and its own in there.
    """
    wanted = schemas(spec)
    return {
        "transactions": _rows(wanted["transactions"], requests, "transactions"),
        "customers": _customers(requests, spec),
        "interactions": _rows(wanted["interactions"], requests, "interactions"),
    }


def place(request: ScoreRequest, table: str, row: int) -> str:
    """Where the row of a table stands in the request.

    >>> from tiercast.serving.online.requests import ScoreRequest
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


def _fields(given: Iterable[inputs.Column]) -> Schema:
    return {column.name: TYPES[column.kind] for column in given}


def _rows(schema: Schema, requests: Sequence[ScoreRequest], table: Literal["transactions", "interactions"]) -> Given:
    """The lines of every customer of every request, one below the other."""
    people = [(customer.customer_id, getattr(customer, table)) for each in requests for customer in each.customers]
    lines: list[Mapping[str, Any]] = list(itertools.chain.from_iterable(rows for _, rows in people))
    ids = np.array([customer_id for customer_id, _ in people], object)
    owners = np.repeat(ids, np.array([len(rows) for _, rows in people], int))
    told: set[str] = set().union(*lines)
    found = {
        name: READERS[kind]([line.get(name) for line in lines]) if name in told else columns.null(ibis.dtype(kind))
        for name, kind in schema.items()
        if kind in READERS and name != "customer_id"
    }
    sizes = [sum(len(getattr(customer, table)) for customer in each.customers) for each in requests]
    return Given(len(lines), found | {"customer_id": Column(owners)} | _numbered(sizes))


def _customers(requests: Sequence[ScoreRequest], spec: FeatureSpec) -> Given:
    people = [customer for each in requests for customer in each.customers]
    readers = {"number": columns.of_numbers, "label": columns.of_texts}
    found = {a.name: readers[a.kind]([c.attributes[a.name] for c in people]) for a in spec.attributes}  # type: ignore[operator]
    fixed = {
        "customer_id": columns.of_texts([customer.customer_id for customer in people]),
        "joined_on": columns.of_texts([customer.joined_on for customer in people]),
    }
    return Given(len(people), found | fixed | _numbered([len(each.customers) for each in requests]))


def _numbered(sizes: Sequence[int]) -> dict[str, Column]:
    """Per row the number of its request, and its own number in that request."""
    own = [np.arange(n) for n in sizes]
    of_request = np.repeat(np.arange(len(sizes)), np.array(sizes, int))
    return {REQUEST: Column(of_request), ROW: Column(np.concatenate([of_request[:0], *own]))}


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
