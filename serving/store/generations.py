"""The generations of scores: list them, switch to an earlier one, delete the oldest."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from tiercast.contract import errors
from tiercast.serving.store import database, publish_lock, tables

KEEP = 13  # a year of monthly scores and the month a year ago
DROP_TIMEOUT_MS = 3_000


class Generation(NamedTuple):
    """One published score file. `previous_id` was served before it; `columns` are those of its table."""

    id: int
    as_of: dt.date
    model: str
    currency: str
    churn_days: int
    value_days: int
    n_customers: int
    value_total: float | None
    published_at: dt.datetime
    sha256: str
    previous_id: int | None
    columns: tuple[str, ...]
    is_current: bool

    @property
    def rows(self) -> sa.FromClause:
        """The table of its customers, with the columns of this version."""
        return tables.scores_of(self.id, self.columns)


_g, _p = tables.generations.c, tables.pointer.c
_FACTS = sa.select(
    *(_g[name] for name in Generation._fields[:-1]), (_g.id == _p.generation_id).label("is_current")
).select_from(tables.generations.outerjoin(tables.pointer, _g.id == _p.generation_id))
_READY = _FACTS.where(_g.state == tables.READY).order_by(_g.id.desc())
_CURRENT = _FACTS.where(_p.generation_id.is_not(None))


def from_row(row: Row[*tuple[Any, ...]]) -> Generation:
    values = row._asdict()
    return Generation(**(values | {"columns": tuple(values["columns"]), "is_current": bool(values["is_current"])}))


def current(engine: Engine) -> Generation:
    """The generation that is served. Raises `StoreRefused` where none was published yet."""
    with database.read_transaction(engine) as connection:
        return current_in(connection)


def current_in(connection: Connection) -> Generation:
    served = served_in(connection)
    if served is None:
        hint = "tiercast publish SCORES --store URL"
        raise errors.StoreRefused(
            "no scores were published yet", first=database.display_url(connection.engine), hint=hint
        )
    return served


def served_in(connection: Connection) -> Generation | None:
    """The served generation, or None where none was ever published."""
    row = connection.execute(_CURRENT).one_or_none()
    return None if row is None else from_row(row)


def ready(engine: Engine) -> list[Generation]:
    """All complete generations, the newest first."""
    with database.read_transaction(engine) as connection:
        return ready_in(connection)


def ready_in(connection: Connection) -> list[Generation]:
    return [from_row(row) for row in connection.execute(_READY)]


def get(connection: Connection, wanted: int) -> Generation:
    """One complete generation. Raises `GenerationGone`."""
    row = connection.execute(_READY.where(_g.id == wanted)).one_or_none()
    if row is None:
        hint = "tiercast generations --store URL lists those that are"
        raise errors.GenerationGone("this generation is not kept", first=f"generation {wanted}", hint=hint)
    return from_row(row)


def lineage(connection: Connection, newest: Generation | None = None) -> list[Generation]:
    """The served (or given) generation and its predecessors, newest first, without those that were rolled back."""
    known = {each.id: each for each in ready_in(connection)}
    found = [newest or current_in(connection)]
    while (before := found[-1].previous_id) is not None and before in known:
        found.append(known[before])
    return found


def rollback(engine: Engine, to: int | None = None) -> Generation:
    """Serve an earlier generation again: `to`, or the one before the current. Raises `GenerationGone`, `StoreBusy`."""
    with publish_lock.held(engine), database.write_transaction(engine) as connection:
        now = current_in(connection)
        target = now.previous_id if to is None else to
        if target is None:
            hint = "publish other scores instead: tiercast publish SCORES --store URL"
            raise errors.GenerationGone(
                "there is no generation before this one", first=f"generation {now.id}", hint=hint
            )
        get(connection, target)
        switch_to(connection, target)
        return current_in(connection)


def switch_to(connection: Connection, target: int) -> None:
    """Serve a generation from the end of the transaction on."""
    connection.execute(tables.pointer.update().values(generation_id=target, switched_at=dt.datetime.now(dt.UTC)))


def prune(engine: Engine, keep: int) -> list[int]:
    """Delete all but the `keep` newest generations and the served one; returns the deleted ids.

    A generation that is read for more than a few seconds, such as by an export, stays until the next publish.
    """
    old = [each.id for each in ready(engine)[keep:] if not each.is_current]
    return [each for each in old if _try_to_delete(engine, each)]


def sweep(engine: Engine) -> list[int]:
    """Delete the partial generations of killed publishes; returns their ids. The caller holds the publishing lock."""
    with database.read_transaction(engine) as connection:
        partial = list(connection.scalars(sa.select(_g.id).where(_g.state == tables.LOADING)))
    for each in partial:
        delete(engine, each)
    return partial


def delete(engine: Engine, generation_id: int) -> None:
    """Delete a generation with its table. Raises `StoreUnavailable` while somebody reads it."""
    with database.write_transaction(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.set_config("lock_timeout", str(DROP_TIMEOUT_MS), sa.true())))
        tables.scores_table(generation_id).drop(connection, checkfirst=True)
        connection.execute(tables.generations.delete().where(_g.id == generation_id))


def _try_to_delete(engine: Engine, generation_id: int) -> bool:
    with contextlib.suppress(errors.StoreUnavailable):
        delete(engine, generation_id)
        return True
    return False
