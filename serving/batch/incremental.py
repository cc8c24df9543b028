"""Incremental scoring: only customers whose aggregates can have changed are computed from their rows again.

The aggregates of every customer (`features.build.aggregates`) are saved from run to run. Most of them do not depend on
the day; the others change only when an order crosses the edge of a window. So a new day reads the rows of the
customers in `features.changes`, and the features of all others are arithmetic on saved aggregates. The state is
updated before anything is scored: a run that is killed later finds it complete.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import pathlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ibis.expr import types as ir

from tiercast.contract import files
from tiercast.features import build, changes, orders, parts
from tiercast.features.engines import Engine
from tiercast.features.reading import Reading
from tiercast.features.spec import FeatureSpec
from tiercast.features.tables import Tables
from tiercast.serving.batch import saved_state
from tiercast.serving.batch.saved_state import SavedState

KEPT, TOUCHED, GROUPS, CHANGED = "kept", "touched", "groups", "changed_groups"


class IncrementalReport(NamedTuple):
    """How much was reused: of `customers`, `computed` were computed from their rows.

    `last` is the day of the saved state; it is None where none was used, and `why` has the reason. Rows before `last`
    had changed in `changed` of `changes.GROUPS` groups of customers.
    """

    last: dt.date | None
    customers: int
    computed: int
    changed: int
    why: str

    def line(self) -> str:
        if self.last is None:
            return f"{self.why}: the sums of {self.customers:,} customers were computed and kept for the next run"
        changed = f"; rows before that day have changed for {self.changed:,} of {changes.GROUPS:,} groups of customers"
        return (
            f"went on from {self.last}: {self.computed:,} of {self.customers:,} customers were computed from their rows"
            + (changed if self.changed else "")
        )


class Aggregates(NamedTuple):
    """The aggregates of one day, by part."""

    engine: Engine
    state: SavedState
    report: IncrementalReport

    def part(self, k: int) -> ir.Table:
        return self.engine.parquet([self.state.part(k)])


@contextlib.contextmanager
def update(engine: Engine, read: Reading, spec: FeatureSpec, folder: pathlib.Path) -> Iterator[Aggregates]:
    """Yield the aggregates as of `read.as_of`, saved in `folder` for the next run; the folder is locked meanwhile.

    Raises `BadInput` and its kinds where the saved state cannot be used.
    """
    with saved_state.locked(folder):
        before = saved_state.load(folder, read.as_of, spec)
        job = Update(engine, read.tables, read.as_of, spec, folder, read.report.rows_kept)
        if before is None:
            yield _compute_all(job, "nothing was kept yet")
        elif before.made != saved_state.provenance(spec):
            yield _compute_all(job, "what was kept is of other versions")
        else:
            yield _compute_changed(job, before)


class Update(NamedTuple):
    """The rows, the day and the folder of one update; `rows` is the number of transactions."""

    engine: Engine
    tables: Tables
    as_of: dt.date
    spec: FeatureSpec
    folder: pathlib.Path
    rows: int

    @property
    def n_parts(self) -> int:
        return parts.count(self.rows)

    @property
    def lines(self) -> ir.Table:
        return orders.known(self.tables.transactions, self.as_of)


def _compute_all(job: Update, why: str) -> Aggregates:
    """Every customer, from all rows."""
    state = _save(job, changes.groups(job.lines, job.as_of, job.spec))
    return Aggregates(job.engine, state, IncrementalReport(None, state.customers, state.customers, 0, why))


def _compute_changed(job: Update, before: SavedState) -> Aggregates:
    """Customers that may have changed, from their rows; all others as they were saved."""
    engine, last = job.engine, before.as_of
    groups = engine.store(GROUPS, changes.groups(job.lines, last, job.spec))
    changed = engine.store(CHANGED, changes.changed_groups(groups, engine.parquet([before.groups])))
    n_changed = _count(engine, changed)
    if last == job.as_of and not n_changed and before.n_parts == job.n_parts:
        return Aggregates(engine, before, IncrementalReport(last, before.customers, 0, 0, ""))
    late = changed if n_changed else None
    touched = engine.store(TOUCHED, changes.customers(job.lines, last, job.as_of, job.spec, late))
    unchanged = _unchanged(job, before, touched, late)
    touched_rows = job.tables._replace(transactions=job.lines.semi_join(touched, "customer_id"))
    state = _save(job._replace(tables=touched_rows), groups, unchanged)
    return Aggregates(engine, state, IncrementalReport(last, state.customers, _count(engine, touched), n_changed, ""))


def _unchanged(job: Update, before: SavedState, touched: ir.Table, late: ir.Table | None) -> Callable[[int], ir.Table]:
    """The saved aggregates that still hold, by part; customers of the changed groups `late` may be gone."""

    def select(saved: ir.Table) -> ir.Table:
        rest = saved.anti_join(touched, "customer_id")
        return rest if late is None else rest.filter(changes.group_of(rest.customer_id).notin(late.group))

    if before.n_parts == job.n_parts:
        return lambda k: select(job.engine.parquet([before.part(k)]))
    job.engine.store(KEPT, select(job.engine.parquet(before.parts)), job.n_parts)
    return lambda k: job.engine.bucket(KEPT, k)


def _save(job: Update, groups: ir.Table, unchanged: Callable[[int], ir.Table] | None = None) -> SavedState:
    """Publish the aggregates of the job's rows together with the `unchanged` ones; `groups` are of all rows."""
    engine, n_parts = job.engine, parts.split(job.engine, job.tables, job.rows)
    with files.cannot_write(job.folder), engine.reading(str(job.folder)):
        state = saved_state.create(job.folder, job.as_of, n_parts, job.spec)
        for k in range(n_parts):
            lines = orders.known(parts.lines(engine, job.tables, k, n_parts), job.as_of)
            computed = build.aggregates(lines, job.as_of, job.spec)
            whole = computed if unchanged is None else computed.union(unchanged(k).select(computed.columns))
            engine.con.to_parquet(whole, state.part(k))
        engine.con.to_parquet(changes.merge_sides(groups), state.groups)
        return saved_state.publish(state._replace(customers=_count(engine, engine.parquet(state.parts))))


def _count(engine: Engine, table: ir.Table) -> int:
    return int(engine.con.to_pyarrow(table.count()).as_py())
