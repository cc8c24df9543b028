"""Walking through the generation before in step with the new one: who moved where, in memory for one slice of each."""

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


class Merge:
    """Both generations come in the order of their ids, so each slice of the new one meets one stretch of the old."""

    def __init__(self, engine: Engine, before: Generation | None) -> None:
        self._engine = engine
        self._table = None if before is None else before.rows
        self._last: str | None = None
        self.matrix: Matrix | None = None

    def moved(self, rows: dict[str, pa.Array]) -> dict[str, pa.Array]:
        """`previous_tier` and `move` (null: stayed) of the next slice; both null with nothing to compare with."""
        ids, n = rows["customer_id"], len(rows["customer_id"])
        if self._table is None or not n:
            return {"previous_tier": pa.nulls(n, pa.string()), "move": pa.nulls(n, pa.string())}
        old = self._stretch(self._table, ids[-1].as_py())
        new_tier = _letters(rows["tier"])
        at = compute.index_in(ids, value_set=old["customer_id"])
        was = _letters(compute.fill_null(old["tier"].take(at), moves.ABSENT))
        self._add(moves.matrix(was, new_tier, _numbers(old["value"].take(at)), _numbers(rows["value"])))
        gone = compute.invert(compute.is_in(old["customer_id"], value_set=ids))
        self._leave(old.filter(gone))
        went = moves.direction(was, new_tier)
        return {
            "previous_tier": pa.array(was.astype(object), pa.string(), mask=was == moves.ABSENT),
            "move": pa.array(went.astype(object), pa.string(), mask=went == "stay"),
        }

    def finish(self, step: int) -> None:
        """Count those who come after the last new id, `step` at a time."""
        while self._table is not None:
            old = self._stretch(self._table, None, step)
            if not old.num_rows:
                return
            self._leave(old)

    def _stretch(self, table: sa.FromClause, end: str | None, most: int | None = None) -> pa.Table:
        """The older rows after those already seen, up to the id `end`."""
        asked = sa.select(table.c.customer_id, table.c.tier, table.c.value).order_by(table.c.customer_id).limit(most)
        if self._last is not None:
            asked = asked.where(table.c.customer_id > self._last)
        if end is not None:
            asked = asked.where(table.c.customer_id <= end)
        with database.read_transaction(self._engine) as connection:
            found = list(zip(*connection.execute(asked).all(), strict=True)) or [(), (), ()]
        self._last = end if end is not None else (found[0][-1] if found[0] else self._last)
        kinds = (pa.string(), pa.string(), pa.float64())
        arrays = [pa.array(column, kind) for column, kind in zip(found, kinds, strict=True)]
        return pa.table(arrays, names=["customer_id", "tier", "value"]).combine_chunks()

    def _leave(self, gone: pa.Table) -> None:
        absent = np.full(gone.num_rows, moves.ABSENT, "<U1")
        self._add(moves.matrix(_letters(gone["tier"]), absent, _numbers(gone["value"]), np.zeros(gone.num_rows)))

    def _add(self, more: Matrix) -> None:
        known = self.matrix
        self.matrix = more if known is None else moves.added(known, more)


def _letters(column: pa.Array | pa.ChunkedArray) -> NDArray[np.str_]:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype="<U1")


def _numbers(column: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
