"""What would change a customer's letter, found by scoring them on the days to come: with one more order, and without.

A day to come is a shift of the past: d days from now, with no order until then, a customer has the features that a
customer whose lines are d days older has today. So all days are copies of the customer in one request.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tiercast.contract import errors
from tiercast.serving.online.requests import Customer, ScoreRequest
from tiercast.tiers import letter_change
from tiercast.tiers.letter_change import LetterChange

MOST_DAYS, MOST_CUSTOMERS, MOST_ROWS = 90, 16, 500
Line = Mapping[str, Any]
Score = Callable[[ScoreRequest], Mapping[str, Any]]


def check(request: ScoreRequest) -> None:
    """Raises BadInput for a request that asks for letter changes and is too large for them."""
    if not request.letter_change:
        return
    n_rows = sum(len(customer.transactions) + len(customer.interactions) for customer in request.customers)
    if len(request.customers) > MOST_CUSTOMERS or n_rows > MOST_ROWS:
        raise errors.BadInput(
            f"letter_change is for at most {MOST_CUSTOMERS} customers and {MOST_ROWS} rows a request",
            count=len(request.customers),
            unit="customers",
            first=f"{len(request.customers)} customers, {n_rows} rows",
            hint="send the customers in several requests, or leave letter_change out",
        )


def find(score: Score, request: ScoreRequest, churn_days: int) -> dict[str, LetterChange]:
    """The change per customer who has ordered, by id. `score` is `Scorer.score`.

    Looks as far ahead as the churn horizon, at most 90 days. The order to come is a copy of the customer's last one.
    """
    days = min(churn_days, MOST_DAYS)
    found = {}
    for customer in request.customers:
        lines = _known(customer.transactions, "ordered_at", request.as_of)
        if any(_is_sale(line) for line in lines):
            contacts = _known(customer.interactions, "occurred_at", request.as_of)
            known = customer.model_copy(update={"transactions": lines, "interactions": contacts})
            copies = _copies(known, request.as_of, days)
            scored = score(request.model_copy(update={"customers": copies, "letter_change": False}))
            letters = [row["tier"] for row in scored["scores"]]
            found[customer.customer_id] = letter_change.find(letters[: days + 1], letters[days + 1 :])
    return found


def _copies(customer: Customer, as_of: dt.date, days: int) -> list[Customer]:
    """The customer today and after 1 to `days` silent days, then after 1 to `days` days with an order on the last."""
    older = [_older(customer, shift) for shift in range(days + 1)]
    last = _last_order(customer.transactions)
    since = (as_of - _day(last[0]["ordered_at"])).days - 1
    order = [{**line, "ordered_at": _earlier(line["ordered_at"], -since)} for line in last]  # is now yesterday's
    ordered = [copy.model_copy(update={"transactions": [*copy.transactions, *order]}) for copy in older[1:]]
    return [copy.model_copy(update={"customer_id": str(n)}) for n, copy in enumerate([*older, *ordered])]


def _older(customer: Customer, days: int) -> Customer:
    """The customer as if everything had happened so many days earlier."""
    changed: dict[str, Any] = {
        "transactions": [{**line, "ordered_at": _earlier(line["ordered_at"], days)} for line in customer.transactions],
        "interactions": [
            {**line, "occurred_at": _earlier(line["occurred_at"], days)} for line in customer.interactions
        ],
    }
    if customer.joined_on is not None:
        changed["joined_on"] = _earlier(customer.joined_on, days)
    return customer.model_copy(update=changed)


def _last_order(lines: Sequence[Line]) -> list[Line]:
    """The lines of the last day with a purchase, without refunds."""
    sales = [line for line in lines if _is_sale(line)]
    last = max(_day(line["ordered_at"]) for line in sales)
    return [line for line in sales if _day(line["ordered_at"]) == last]


def _is_sale(line: Line) -> bool:
    """Every line without an amount is one: a model that counts orders knows no refunds."""
    return bool(line.get("amount", 0) >= 0)


def _known(lines: Sequence[Line], when: str, as_of: dt.date) -> list[Line]:
    return [line for line in lines if _day(line[when]) < as_of]


def _day(time: str) -> dt.date:
    """The day of an ISO 8601 time, in UTC."""
    at = dt.datetime.fromisoformat(time.strip())
    return (at.astimezone(dt.UTC) if at.tzinfo else at).date()


def _earlier(time: str, days: int) -> str:
    """The same time of day, so many days earlier.

    >>> _earlier("2024-03-01T12:30:00Z", 1)
    '2024-02-29T12:30:00Z'
    """
    text = time.strip()
    day = max(dt.date.fromisoformat(text[:10]).toordinal() - days, 1)  # nothing is earlier than the year 1
    return dt.date.fromordinal(day).isoformat() + text[10:]
