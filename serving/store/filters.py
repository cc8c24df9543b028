"""The filters of a search, and their SQL conditions."""

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

MoveFilter = Literal["up", "down", "in"]
Condition = sa.ColumnElement[bool]


class Filters(NamedTuple):
    """All are optional and combined by AND. A tuple means "one of these"; ranges include both ends.

    `moved` compares with the generation before, or with the one served on the day `moved_since`. `reasons` match any of
    a customer's three. A customer without a number (a prospect) matches no range of it.
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
    moved: tuple[MoveFilter, ...] = ()
    moved_since: dt.date | None = None


NONE = Filters()
IN = {"tiers": "tier", "statuses": "status", "actions": "action"}
RANGES = ("p_churn", "value", "value_at_risk")
FLAGS = ("is_borderline", "disagreement")
Columns = Mapping[str, sa.ColumnElement[Any]]


def apply(
    connection: Connection,
    query: sa.Select[Any],
    rows: sa.FromClause,
    generation: Generation,
    filters: Filters,
    columns: Columns | None = None,
) -> sa.Select[Any]:
    """The query with the filters on `rows` of `generation`.

    `columns` replace the columns of `rows` in the conditions, such as by expressions that no index applies to.
    """
    c = dict(rows.c.items()) if columns is None else columns
    query = query.where(*_conditions(c, filters))
    if filters.moved_since is None:
        return query.where(rows.c.move.in_(filters.moved)) if filters.moved else query
    then = _served_on(connection, generation, filters.moved_since)
    if then.id == generation.id:
        return query.where(sa.false())
    old = then.rows
    both = rows.outerjoin(old, rows.c.customer_id == old.c.customer_id)
    return query.select_from(both).where(_moved(rows.c.tier, old, filters.moved or ("up", "down")))


def _conditions(c: Columns, filters: Filters) -> list[Condition]:
    found: list[Condition] = []
    for name, column in IN.items():
        if allowed := getattr(filters, name):
            found.append(c[column].in_(allowed))
    for name in RANGES:
        low, high = getattr(filters, name)
        found += [] if low is None else [c[name] >= low]
        found += [] if high is None else [c[name] <= high]
    for name in FLAGS:
        if (flag := getattr(filters, name)) is not None:
            found.append(c[name].is_(flag))
    if filters.reasons:
        found.append(sa.or_(*(c[reason].in_(filters.reasons) for reason in tables.REASONS)))
    return found


def _moved(tier: sa.ColumnElement[str], old: sa.FromClause, directions: Sequence[MoveFilter]) -> Condition:
    letters = moves.PLACES[:-1]
    pairs = [a + b for a in letters for b in letters if moves.direction_of(a, b) in directions]
    changed = [(old.c.tier + tier).in_(pairs)] if pairs else []
    return sa.or_(sa.false(), *changed, *([old.c.customer_id.is_(None)] if "in" in directions else []))


def _served_on(connection: Connection, generation: Generation, day: dt.date) -> Generation:
    """The newest of the generations before `generation` that was not newer than `day`."""
    lineage = generations.lineage(connection, generation)
    found = next((each for each in lineage if each.as_of <= day), None)
    if found is None:
        hint = f"ask from {lineage[-1].as_of} on, or keep more generations: tiercast publish --keep"
        raise errors.GenerationGone("no generation reaches back that far", first=f"moved since {day}", hint=hint)
    return found
