"""What a search may ask for, and how that is said to the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tiercast.contract import errors
from tiercast.serving.store import generations, tables
from tiercast.serving.store.generations import Generation
from tiercast.tiers import moves

Way = Literal["up", "down", "in"]
WAYS: tuple[Way, ...] = ("up", "down", "in")
Clause = sa.ColumnElement[bool]


class Filters(NamedTuple):
    """Everything is optional, and all that is given must be true. Tuples mean "one of these"; ranges include both ends.

    `moved` compares with the generation before, or with what was served on the day `moved_since`. `reasons` are met by
    any of a customer's three. A customer without a number (a prospect) meets no range of it.
    """

    tiers: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    p_churn: tuple[float | None, float | None] = (None, None)
    value: tuple[float | None, float | None] = (None, None)
    value_at_risk: tuple[float | None, float | None] = (None, None)
    is_borderline: bool | None = None
    disagreement: bool | None = None
    moved: tuple[Way, ...] = ()
    moved_since: dt.date | None = None


NONE = Filters()
IN = {"tiers": "tier", "statuses": "status", "actions": "action"}
RANGES = ("p_churn", "value", "value_at_risk")
FLAGS = ("is_borderline", "disagreement")


Columns = Mapping[str, sa.ColumnElement[Any]]


def applied(
    connection: Connection,
    asked: sa.Select[Any],
    rows: sa.FromClause,
    generation: Generation,
    filters: Filters,
    columns: Columns | None = None,
) -> sa.Select[Any]:
    """The question about `rows` of `generation`, for those only whom the filters let through.

    `columns` are the columns of `rows` where they shall be written in another way.
    """
    c = dict(rows.c.items()) if columns is None else columns
    asked = asked.where(*_plain(c, filters))
    if filters.moved_since is None:
        return asked.where(rows.c.move.in_(filters.moved)) if filters.moved else asked
    then = _on(connection, generation, filters.moved_since)
    if then.id == generation.id:
        return asked.where(sa.false())
    old = tables.scores_of(then.id)
    both = rows.outerjoin(old, rows.c.customer_id == old.c.customer_id)
    return asked.select_from(both).where(_moved(rows.c.tier, old, filters.moved or ("up", "down")))


def _plain(c: Columns, filters: Filters) -> list[Clause]:
    found: list[Clause] = []
    for name, column in IN.items():
        if wanted := getattr(filters, name):
            found.append(c[column].in_(wanted))
    for name in RANGES:
        low, high = getattr(filters, name)
        found += [] if low is None else [c[name] >= low]
        found += [] if high is None else [c[name] <= high]
    for name in FLAGS:
        if (flag := getattr(filters, name)) is not None:
            found.append(c[name].is_(flag))
    if filters.reasons:
        found.append(sa.or_(*(c[place].in_(filters.reasons) for place in tables.REASONS)))
    return found


def _moved(tier: sa.ColumnElement[str], old: sa.Table, ways: Sequence[Way]) -> Clause:
    pairs = [a + b for a in moves.PLACES[:-1] for b in moves.PLACES[:-1] if moves.direction_of(a, b) in ways]
    found = [(old.c.tier + tier).in_(pairs)] if pairs else []
    return sa.or_(sa.false(), *found, *([old.c.customer_id.is_(None)] if "in" in ways else []))


def _on(connection: Connection, generation: Generation, day: dt.date) -> Generation:
    """The newest generation, among those that `generation` came after, that is not younger than `day`."""
    line = generations.line_in(connection, generation)
    found = next((each for each in line if each.as_of <= day), None)
    if found is None:
        hint = f"ask from {line[-1].as_of} on, or keep more generations: tiercast publish --keep"
        raise errors.GenerationGone("no generation reaches back that far", first=f"moved since {day}", hint=hint)
    return found
