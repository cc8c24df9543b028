"""Requests to the service, and what every refusal must have."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa

AS_OF = dt.date(1998, 7, 1)
JSON = {"Content-Type": "application/json"}


def purchase(day: str = "1998-01-03", amount: Any = 12.5, **more: Any) -> dict[str, Any]:
    return {"ordered_at": day, "amount": amount, "quantity": 1, **more}


def customer(customer_id: str, *lines: dict[str, Any]) -> dict[str, Any]:
    return {"customer_id": customer_id, "transactions": list(lines)}


def score_body(*customers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"as_of": AS_OF.isoformat(), "customers": list(customers), **more}


def as_request(table: pa.Table, as_of: dt.date) -> dict[str, Any]:
    people: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        line = {name: value for name, value in row.items() if name != "customer_id"}
        people.setdefault(row["customer_id"], []).append({**line, "ordered_at": row["ordered_at"].isoformat()})
    return score_body(*(customer(key, *lines) for key, lines in people.items()), as_of=as_of.isoformat())


def refusal(response: Any, status: int) -> dict[str, Any]:
    """The error of a response, with everything an error must have."""
    assert response.status_code == status, response.text
    assert set(response.json()) == {"error"}
    error: dict[str, Any] = response.json()["error"]
    always = {"code", "message", "hint", "request_id"}
    assert always <= set(error) <= always | {"fields", "count", "total"}
    assert error["request_id"] == response.headers["x-request-id"]
    assert all(set(field) == {"path", "message"} for field in error.get("fields", []))
    return error
