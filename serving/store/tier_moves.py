"""The moves between tiers from the served generation to a new one, computed slice by slice while it is loaded."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from numpy.typing import NDArray
from pyarrow import compute
from sqlalchemy.engine import Engine

from tiercast.serving.store import database
from tiercast.serving.store.generations import Generation
from tiercast.tiers import moves
from tiercast.tiers.moves import Matrix


class MoveComparison:
    """A merge join: both generations are sorted by id, so each slice of the new one meets one range of the old.

    Only one slice of each is in memory. `matrix` counts the moves so far; None without a generation to compare with.
    """

    def __init__(self, engine: Engine, before: Generation | None) -> None:
        self._engine = engine
        self._table = None if before is None else before.rows
        self._last_id: str | None = None
        self.matrix: Matrix | None = None

    def columns(self, rows: dict[str, pa.Array]) -> dict[str, pa.Array]:
        """`previous_tier` and `move` (null: stayed) of the next slice; null with nothing to compare with."""
        ids, n = rows["customer_id"], len(rows["customer_id"])
        if self._table is None or not n:
            return {"previous_tier": pa.nulls(n, pa.string()), "move": pa.nulls(n, pa.string())}
        old = self._read_old(self._table, ids[-1].as_py())
        new_tier = _letters(rows["tier"])
        at = compute.index_in(ids, value_set=old["customer_id"])
        old_tier = _letters(compute.fill_null(old["tier"].take(at), moves.ABSENT))
        self._count(moves.matrix(old_tier, new_tier, _numbers(old["value"].take(at)), _numbers(rows["value"])))
        self._count_absent(old.filter(compute.invert(compute.is_in(old["customer_id"], value_set=ids))))
        direction = moves.direction(old_tier, new_tier)
        return {
            "previous_tier": pa.array(old_tier.astype(object), pa.string(), mask=old_tier == moves.ABSENT),
            "move": pa.array(direction.astype(object), pa.string(), mask=direction == "stay"),
        }

    def finish(self, step: int) -> None:
        """Count the old customers after the last new id, `step` at a time."""
        while self._table is not None:
            old = self._read_old(self._table, None, step)
            if not old.num_rows:
                return
            self._count_absent(old)

    def _read_old(self, table: sa.FromClause, end: str | None, limit: int | None = None) -> pa.Table:
        """The old rows that were not read before, up to the id `end`."""
        query = sa.select(table.c.customer_id, table.c.tier, table.c.value).order_by(table.c.customer_id).limit(limit)
        if self._last_id is not None:
            query = query.where(table.c.customer_id > self._last_id)
        if end is not None:
            query = query.where(table.c.customer_id <= end)
        with database.read_transaction(self._engine) as connection:
            columns = list(zip(*connection.execute(query).all(), strict=True)) or [(), (), ()]
        self._last_id = end if end is not None else (columns[0][-1] if columns[0] else self._last_id)
        types = (pa.string(), pa.string(), pa.float64())
        arrays = [pa.array(column, type_) for column, type_ in zip(columns, types, strict=True)]
        return pa.table(arrays, names=["customer_id", "tier", "value"]).combine_chunks()

    def _count_absent(self, old: pa.Table) -> None:
        """Count customers of the old generation that the new one does not have."""
        absent = np.full(old.num_rows, moves.ABSENT, "<U1")
        self._count(moves.matrix(_letters(old["tier"]), absent, _numbers(old["value"]), np.zeros(old.num_rows)))

    def _count(self, more: Matrix) -> None:
        self.matrix = more if self.matrix is None else moves.added(self.matrix, more)


def _letters(column: pa.Array | pa.ChunkedArray) -> NDArray[np.str_]:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype="<U1")


def _numbers(column: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
