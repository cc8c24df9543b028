"""The tables of requests as columns: those of a file, and for every row numbers that identify it in its request.

A column or attribute that the bundle was trained on must be given for every customer, null where it is unknown.
Otherwise a column that a caller forgot would look like an unknown value.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, Literal

import ibis
import numpy as np

from tiercast.contract import errors, inputs
from tiercast.features.engines.arrays import Column, InputTable
from tiercast.features.engines.arrays import column as columns
from tiercast.features.spec import MARGIN, ORDER_COUNT, FeatureSpec
from tiercast.serving.online.requests import Customer, ScoreRequest

REQUEST, ROW = "tiercast_request", "tiercast_row"
TEXT, NUMBER = "string", "float64"
TYPES = {"id": TEXT, "time": TEXT, "label": TEXT, "money": NUMBER, "number": NUMBER}
READERS: Mapping[str, Callable[[list[Any]], Column]] = {TEXT: columns.from_texts, NUMBER: columns.from_numbers}
Schema = dict[str, str]


@functools.lru_cache(maxsize=8)
def schemas(spec: FeatureSpec) -> dict[str, Schema]:
    """Per table the columns that this bundle reads, with their types; the same for all requests."""
    money = set() if spec.counts_orders else {"amount", "margin"}
    of_spec = {"customer_id", "ordered_at", *money, *spec.columns}
    purchases = [column for column in inputs.TRANSACTIONS if column.name in of_spec]
    attributes = {attribute.name: TYPES[attribute.kind] for attribute in spec.attributes}
    numbers = {REQUEST: "int64", ROW: "int64"}
    return {
        "transactions": _schema(purchases) | numbers,
        "customers": _schema(inputs.CUSTOMERS) | attributes | numbers,
        "interactions": _schema(inputs.INTERACTIONS) | numbers,
    }


def check(request: ScoreRequest, spec: FeatureSpec) -> bool:
    """Whether money is a margin in this request, which the bundle can score.

    Raises `MissingColumn`, `WrongType` and `BundleRefused`, with the path of the first offender.
    """
    has_margin = _has_margin(request)
    needed = {*spec.columns, "amount", *(("margin",) if has_margin else ())}
    if spec.counts_orders:
        _refuse_money(request)
        needed -= {"amount", "margin", ORDER_COUNT}
        has_margin = False
    _refuse_missing(request, spec, needed)
    _refuse_wrong_types(request, spec)
    if has_margin and MARGIN not in spec.columns:
        raise errors.BundleRefused(
            "the model was trained on amounts, and these transactions have margins",
            first="transactions.margin",
            hint="leave margin out of every transaction",
        )
    return has_margin


def build(requests: Sequence[ScoreRequest], spec: FeatureSpec) -> dict[str, InputTable]:
    """The tables by name, in columns as received. All requests have passed `check`.

    Every row has the number of its request, and its own number in that request.
    """
    schema = schemas(spec)
    return {
        "transactions": _lines(schema["transactions"], requests, "transactions"),
        "customers": _customers(requests, spec),
        "interactions": _lines(schema["interactions"], requests, "interactions"),
    }


def path(request: ScoreRequest, table: str, row: int) -> str:
    """Where the row of a table stands in the request.

    >>> import json
    >>> from tiercast.serving.online.requests import ScoreRequest
    >>> body = {"as_of": "2024-01-31", "customers": [
    ...     {"customer_id": "a", "transactions": []},
    ...     {"customer_id": "b", "transactions": [{"ordered_at": "2024-01-01", "amount": 1}] * 2}]}
    >>> path(ScoreRequest.model_validate_json(json.dumps(body)), "transactions", 1)
    'customers.1.transactions.1'
    """
    if table == "customers":
        return f"customers.{row}"
    for number, customer in enumerate(request.customers):
        n_rows = len(getattr(customer, table))
        if row < n_rows:
            return f"customers.{number}.{table}.{row}"
        row -= n_rows
    raise IndexError(row)


def _schema(given: Iterable[inputs.InputColumn]) -> Schema:
    return {column.name: TYPES[column.kind] for column in given}


def _lines(
    schema: Schema, requests: Sequence[ScoreRequest], table: Literal["transactions", "interactions"]
) -> InputTable:
    """The lines of all customers of all requests, concatenated."""
    customers = [(customer.customer_id, getattr(customer, table)) for each in requests for customer in each.customers]
    lines: list[Mapping[str, Any]] = list(itertools.chain.from_iterable(rows for _, rows in customers))
    ids = np.array([customer_id for customer_id, _ in customers], object)
    owners = np.repeat(ids, np.array([len(rows) for _, rows in customers], int))
    present: set[str] = set().union(*lines)
    cells = {
        name: READERS[kind]([line.get(name) for line in lines]) if name in present else _null(kind)
        for name, kind in schema.items()
        if kind in READERS and name != "customer_id"
    }
    sizes = [sum(len(getattr(customer, table)) for customer in each.customers) for each in requests]
    return InputTable(len(lines), cells | {"customer_id": Column(owners)} | _row_numbers(sizes))


def _customers(requests: Sequence[ScoreRequest], spec: FeatureSpec) -> InputTable:
    customers = [customer for each in requests for customer in each.customers]
    cells = {a.name: READERS[TYPES[a.kind]]([c.attributes[a.name] for c in customers]) for a in spec.attributes}
    fixed = {
        "customer_id": columns.from_texts([customer.customer_id for customer in customers]),
        "joined_on": columns.from_texts([customer.joined_on for customer in customers]),
    }
    return InputTable(len(customers), cells | fixed | _row_numbers([len(each.customers) for each in requests]))


@functools.cache
def _null(kind: str) -> Column:
    return columns.null(ibis.dtype(kind))


def _row_numbers(sizes: Sequence[int]) -> dict[str, Column]:
    """Per row the number of its request, and its own number in that request."""
    own = [np.arange(n) for n in sizes]
    of_request = np.repeat(np.arange(len(sizes)), np.array(sizes, int))
    return {REQUEST: Column(of_request), ROW: Column(np.concatenate([of_request[:0], *own]))}


def _refuse_missing(request: ScoreRequest, spec: FeatureSpec, per_line: Set[str]) -> None:
    missing = next(_missing(request, spec, per_line), None)
    if missing is not None:
        raise errors.MissingColumn(
            "the bundle was trained on this and it is not given",
            first=missing,
            hint="give it for every customer, null where it is not known; GET /v1/model lists what the bundle uses",
        )


def _refuse_money(request: ScoreRequest) -> None:
    """Raises `BundleRefused`: a model that counts orders would not look at amounts, and refunds would be orders."""
    for number, customer in enumerate(request.customers):
        for row, line in enumerate(customer.transactions):
            if priced := line.keys() & {"amount", "margin"}:
                raise errors.BundleRefused(
                    "the model counts orders and reads no amounts",
                    first=f"customers.{number}.transactions.{row}.{min(priced)}",
                    hint="leave amount and margin out of every transaction, and refunds altogether",
                )


def _refuse_wrong_types(request: ScoreRequest, spec: FeatureSpec) -> None:
    for (number, customer), attribute in itertools.product(enumerate(request.customers), spec.attributes):
        value = customer.attributes[attribute.name]
        if value is not None and isinstance(value, str) != (attribute.kind == "label"):
            raise errors.WrongType(
                f"this attribute must be a {attribute.kind}, as it was at training",
                first=f"customers.{number}.attributes.{attribute.name}",
                hint="labels are text, numbers are not in quotes; null where it is not known",
            )


def _missing(request: ScoreRequest, spec: FeatureSpec, per_line: Set[str]) -> Iterator[str]:
    """The paths of what is not given, in the order of the request."""
    needed = ({"joined_on"} if spec.has_joined_on else set()) | ({"interactions"} if spec.contact_kinds else set())
    attributes = [attribute.name for attribute in spec.attributes]
    for number, customer in enumerate(request.customers):
        prefix = f"customers.{number}"
        if needed and not needed <= customer.model_fields_set:
            yield from (f"{prefix}.{name}" for name in sorted(needed - customer.model_fields_set))
        if attributes:
            yield from (f"{prefix}.attributes.{name}" for name in attributes if name not in customer.attributes)
        if per_line:
            yield from _missing_in_lines(customer, prefix, per_line)


def _missing_in_lines(customer: Customer, prefix: str, per_line: Set[str]) -> Iterator[str]:
    for number, line in enumerate(customer.transactions):
        if not per_line <= line.keys():
            yield f"{prefix}.transactions.{number}.{min(per_line - line.keys())}"


def _has_margin(request: ScoreRequest) -> bool:
    """One purchase with a margin means that all of them are in margins, as with a column in a file."""
    return any("margin" in line for customer in request.customers for line in customer.transactions)
