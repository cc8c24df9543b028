"""Going on from the last run: only customers whose sums can have changed are computed from their rows again.

What a customer's features are computed from (`features.build.sums`) is kept from run to run. Most of it does not depend
on the day; what does changes only when an order crosses the edge of a window. So a new day needs the rows of the
customers in `features.changes`, and everyone else's features are arithmetic on what was kept. The state is brought to
the day before anything is scored: a run that is killed later finds it there, complete.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import pathlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ibis.expr import types as ir

from tiercast.features import build, changes, orders, parts
from tiercast.features.engines import Engine
from tiercast.features.reading import Reading
from tiercast.features.spec import FeatureSpec
from tiercast.features.tables import Tables
from tiercast.serving.batch import output, saved_state
from tiercast.serving.batch.saved_state import State

KEPT, TOUCHED, GROUPS, CHANGED = "kept", "touched", "groups", "changed_groups"


class Since(NamedTuple):
    """How much could be kept: of `customers`, `computed` were computed from their rows.

    `last` is None where nothing was kept, and `why` says so. Rows before `last` had changed in `changed` of
    `changes.GROUPS` groups of customers.
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


class Sums(NamedTuple):
    """The sums of a day, part by part."""

    engine: Engine
    state: State
    said: Since

    def part(self, k: int) -> ir.Table:
        return self.engine.parquet([self.state.part(k)])


@contextlib.contextmanager
def sums(engine: Engine, read: Reading, spec: FeatureSpec, folder: pathlib.Path) -> Iterator[Sums]:
    """The sums as of `read.as_of`, kept in `folder` for the next run, which nobody else changes inside the block.

    Raises `BadInput` and its kinds where the folder holds what cannot be gone on from.
    """
    with saved_state.held(folder):
        before = saved_state.load(folder, read.as_of, spec)
        run = Run(engine, read.tables, read.as_of, spec, folder, read.report.rows_kept)
        if before is None:
            yield _all(run, "nothing was kept yet")
        elif before.made != saved_state.made(spec):
            yield _all(run, "what was kept is of other versions")
        else:
            yield _some(run, before)


class Run(NamedTuple):
    """What is to be brought to which day, and where."""

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


def _all(run: Run, why: str) -> Sums:
    """Everyone, from all rows."""
    state = _write(run, changes.groups(run.lines, run.as_of, run.spec))
    return Sums(run.engine, state, Since(None, state.customers, state.customers, 0, why))


def _some(run: Run, before: State) -> Sums:
    """Those who are touched, from their rows; the others as they were kept."""
    engine, last = run.engine, before.as_of
    groups = engine.store(GROUPS, changes.groups(run.lines, last, run.spec))
    other = engine.store(CHANGED, changes.changed(groups, engine.parquet([before.groups])))
    n_changed = _count(engine, other)
    if last == run.as_of and not n_changed and before.n_parts == run.n_parts:
        return Sums(engine, before, Since(last, before.customers, 0, 0, ""))
    touched = engine.store(
        TOUCHED, changes.customers(run.lines, last, run.as_of, run.spec, other if n_changed else None)
    )
    rest = _rest(run, before, touched, other if n_changed else None)
    theirs = run.tables._replace(transactions=run.lines.semi_join(touched, "customer_id"))
    state = _write(run._replace(tables=theirs), groups, rest)
    return Sums(engine, state, Since(last, state.customers, _count(engine, touched), n_changed, ""))


def _rest(run: Run, before: State, touched: ir.Table, late: ir.Table | None) -> Callable[[int], ir.Table]:
    """The kept sums that still hold, by part; `late` holds the changed groups, whose customers may be gone."""

    def still(kept: ir.Table) -> ir.Table:
        found = kept.anti_join(touched, "customer_id")
        return found if late is None else found.filter(changes.group_of(found.customer_id).notin(late.group))

    if before.n_parts == run.n_parts:
        return lambda k: still(run.engine.parquet([before.part(k)]))
    run.engine.store(KEPT, still(run.engine.parquet(before.parts)), run.n_parts)
    return lambda k: run.engine.bucket(KEPT, k)


def _write(run: Run, groups: ir.Table, rest: Callable[[int], ir.Table] | None = None) -> State:
    """The sums of the run's rows and the `rest` of the sums, kept from now on; `groups` are of all rows."""
    engine, n_parts = run.engine, parts.split(run.engine, run.tables, run.rows)
    with output.told(run.folder), engine.reading(str(run.folder)):
        state = saved_state.fresh(run.folder, run.as_of, n_parts, run.spec)
        for k in range(n_parts):
            lines = orders.known(parts.lines(engine, run.tables, k, n_parts), run.as_of)
            found = build.sums(lines, run.as_of, run.spec)
            whole = found if rest is None else found.union(rest(k).select(found.columns))
            engine.con.to_parquet(whole, state.part(k))
        engine.con.to_parquet(changes.of_all(groups), state.groups)
        return saved_state.publish(state._replace(customers=_count(engine, engine.parquet(state.parts))))


def _count(engine: Engine, table: ir.Table) -> int:
    return int(engine.con.to_pyarrow(table.count()).as_py())
