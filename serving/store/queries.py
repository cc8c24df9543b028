"""Lookups, a customer's history and the grid. Each result comes from one state of the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from tiercast.contract import errors
from tiercast.serving.store import active_generation, database, generations, records, tables
from tiercast.serving.store.generations import Generation
from tiercast.serving.store.records import Record
from tiercast.tiers import moves
from tiercast.tiers.grid import TierSummary
from tiercast.tiers.moves import Direction, Lost, Matrix

MAX_IDS = 1_000


class LookupResult(NamedTuple):
    """`rows` in the order of the ids, `unknown` the ids that this generation does not have."""

    generation: Generation
    rows: list[Record]
    unknown: list[str]


class HistoryStep(NamedTuple):
    """A customer in one generation, and the change since the generation before it.

    All but `generation`, `direction` and `lost` are empty where the generation does not have the customer; `direction`
    is None where there is no earlier generation. `reasons` are those of this generation.
    """

    generation: Generation
    tier: str | None
    status: str | None
    value: float | None
    p_churn: float | None
    reasons: list[str]
    direction: Direction | None
    lost: Lost
    value_change: float | None
    p_churn_change: float | None


class StoredGrid(NamedTuple):
    """The six tiers of the served generation and the moves into it; None for the first, or over changed windows."""

    generation: Generation
    tiers: list[TierSummary]
    n_borderline: int
    disagreement: dict[str, float]
    moves: Matrix | None


def lookup(engine: Engine, ids: Sequence[str]) -> LookupResult:
    """The scores of up to 1,000 customers. Raises `BadInput` for more."""
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > MAX_IDS:
        hint = f"ask for at most {MAX_IDS:,} at a time, or export: there is no limit"
        raise errors.BadInput("too many customers at once", count=len(wanted), unit="customers", hint=hint)

    def run(connection: Connection) -> LookupResult:
        generation, rows = active_generation.rows(connection, wanted)
        known = {row.customer_id: records.record(row, generation) for row in rows}
        return LookupResult(
            generation,
            [known[each] for each in wanted if each in known],
            [each for each in wanted if each not in known],
        )

    return database.run_query(engine, run)


def history(engine: Engine, customer_id: str) -> list[HistoryStep]:
    """One customer in every generation, newest first; empty for an id that none of them has."""

    def run(connection: Connection) -> list[HistoryStep]:
        lineage = generations.lineage(connection)
        rows = _rows_by_generation(connection, lineage, customer_id)
        steps = [_step(each, rows.get(each.id), before, rows) for each, before in zip(lineage, [*lineage[1:], None])]
        return steps if rows else []

    return database.run_query(engine, run)


def grid(engine: Engine) -> StoredGrid:
    """Counts, value and value at risk per tier, and the moves between tiers, as added up when it was published."""
    with database.read_transaction(engine) as connection:
        generation = generations.current_in(connection)
        g = tables.generations.c
        totals, matrix = connection.execute(sa.select(g.grid, g.moves).where(g.id == generation.id)).one()
    moved = None if matrix is None else Matrix(**{name: np.array(rows) for name, rows in matrix.items()})
    rows = [TierSummary(**row) for row in totals["tiers"]]
    return StoredGrid(generation, rows, totals["borderline"], totals["disagreement"], moved)


def _rows_by_generation(connection: Connection, lineage: list[Generation], customer_id: str) -> dict[int, Row[Any]]:
    """The customer's row in each generation that has one, in one query."""
    names = ("tier", "status", "value", "p_churn", *tables.REASONS)
    parts = []
    for each in lineage:
        table = each.rows
        columns = [table.c[name] for name in names]
        number = sa.literal_column(str(each.id), sa.Integer).label("generation_id")
        parts.append(sa.select(number, *columns).where(table.c.customer_id == customer_id))
    return {row.generation_id: row for row in connection.execute(sa.union_all(*parts))}


def _step(each: Generation, now: Row[Any] | None, before: Generation | None, rows: dict[int, Row[Any]]) -> HistoryStep:
    was = None if before is None else rows.get(before.id)
    old, new = (moves.ABSENT if row is None else row.tier for row in (was, now))
    direction = None if before is None else moves.direction_of(old, new)
    lost = moves.lost(old, new)
    if now is None:
        return HistoryStep(each, None, None, None, None, [], direction, lost, None, None)
    return HistoryStep(
        each, now.tier, now.status, now.value, now.p_churn, records.reasons(now), direction, lost,
        _change(was, now, "value"), _change(was, now, "p_churn"),
    )  # fmt: skip


def _change(was: Row[Any] | None, now: Row[Any], name: str) -> float | None:
    """New minus old; None where one of them is null."""
    old, new = (None if row is None else row._mapping[name] for row in (was, now))
    return None if old is None or new is None else float(new - old)
