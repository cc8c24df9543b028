"""Compare two score files: the migration matrix, the largest falls, and a file of all customers who moved.

The join runs in the engine, which spills to disk; rows leave it in slices. Memory does not grow with the base.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr import types as ir

from tiercast.contract import errors
from tiercast.contract import moves as contract
from tiercast.contract.vectors import Vector
from tiercast.features import exact
from tiercast.features.engines import Engine
from tiercast.features.reading import score_reader
from tiercast.features.reading.score_reader import ScoreFile
from tiercast.serving.batch import output
from tiercast.tiers import grid, moves
from tiercast.tiers.moves import Matrix

NEEDED = ("tier", "value", "p_churn", "reasons")
SLICE = 1 << 16
STEPS = ("reading", "joining", "counting", "writing")


class TierMoves(NamedTuple):
    """`falls` are the customers in a lower tier that lost most value, in the columns of `contract.moves`."""

    old: ScoreFile
    new: ScoreFile
    matrix: Matrix
    falls: list[dict[str, Any]]


def compare(
    engine: Engine,
    old_path: str,
    new_path: str,
    *,
    top: int = 10,
    out: pathlib.Path | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> TierMoves:
    """Compare older with newer scores, and write the customers who moved to `out` if it is given.

    `on_step` is called with the name of each of `STEPS` when it starts. Raises `BadInput` and `CannotWrite`.

    The same two files give the same bytes.
    """
    _refuse_places(old_path, new_path, out)
    on_step(STEPS[0])
    old, new = (score_reader.open_scores(engine, path, NEEDED) for path in (old_path, new_path))
    _refuse_pair(old, new)
    on_step(STEPS[1])
    both = engine.store("both", _joined(old.table, new.table))
    on_step(STEPS[2])
    matrix = _matrix(engine, both, new)
    movers = both.filter(both.old_tier != both.new_tier)
    fallen = movers.filter((movers.old_tier + movers.new_tier).isin(moves.DOWN))
    worst = fallen.order_by([_change(fallen), fallen.customer_id]).limit(top)
    schema = contract.schema(new.currency, old.as_of.isoformat(), new.as_of.isoformat())
    falls = _move_rows(engine.con.to_pyarrow(worst), schema).to_pylist()
    on_step(STEPS[3])
    if out is not None:
        engine.store("movers", movers.order_by("customer_id"))
        with output.writer(out, schema) as write:
            for rows in engine.slices("movers", SLICE):
                write(_move_rows(rows, schema))
    return TierMoves(old, new, matrix, falls)


def _joined(old: ir.Table, new: ir.Table) -> ir.Table:
    """One row per customer of either file; an absent customer has the tier "". Only moves have reasons."""
    before = old.select("customer_id", old_tier="tier", old_value="value", old_p_churn="p_churn")
    after = new.select(
        new_id="customer_id", new_tier="tier", new_value="value", new_p_churn="p_churn", reasons="reasons"
    )
    both = before.outer_join(after, before.customer_id == after.new_id)
    tiers = {name: both[name].fill_null(moves.ABSENT) for name in ("old_tier", "new_tier")}
    is_moved = tiers["old_tier"] != tiers["new_tier"]
    return both.select(
        customer_id=ibis.coalesce(both.customer_id, both.new_id),
        **tiers,
        **{name: both[name] for name in ("old_value", "new_value", "old_p_churn", "new_p_churn")},
        reasons=ibis.ifelse(is_moved, both.reasons, ibis.null("array<string>")),
    )


def _matrix(engine: Engine, both: ir.Table, new: ScoreFile) -> Matrix:
    """Counts and exact sums per pair of tiers."""
    known = {name: both[name].nullif(float("nan")) for name in ("old_value", "new_value")}
    totals = {name: exact.total(column) for name, column in known.items()}
    groups = both.group_by("old_tier", "new_tier").aggregate(n=both.count(), **totals)
    cells = engine.con.to_pyarrow(groups.order_by("old_tier", "new_tier"))
    old_tier, new_tier = (cells[name].to_numpy().astype("<U8") for name in ("old_tier", "new_tier"))
    _refuse_letters({*old_tier.tolist(), *new_tier.tolist()}, new)
    before, after = (cells[name].to_numpy() for name in ("old_value", "new_value"))
    return moves.matrix(old_tier, new_tier, before, after, cells["n"].to_numpy())


def _change(table: ir.Table) -> ir.FloatingValue:
    return table.new_value.fill_null(0.0) - table.old_value.fill_null(0.0)


def _move_rows(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows of a moves file from rows of the join."""
    old, new = (rows[name].to_numpy(zero_copy_only=False).astype("<U1") for name in ("old_tier", "new_tier"))
    lost = [moves.lost(*pair) for pair in zip(old.tolist(), new.tolist(), strict=True)]
    value, risk = (_numbers(rows, name) for name in ("value", "p_churn"))
    no_reasons = pa.scalar([], pa.list_(pa.string()))
    columns = {name: rows[name] for name in ("customer_id", "old_value", "new_value", "old_p_churn", "new_p_churn")}
    columns |= {
        "direction": pa.array(moves.direction(old, new).astype(object), pa.string()),
        "lost": pa.array(lost, pa.string()),
        "old_tier": pa.array(old.astype(object), pa.string(), mask=old == moves.ABSENT),
        "new_tier": pa.array(new.astype(object), pa.string(), mask=new == moves.ABSENT),
        "value_change": pa.array(np.nan_to_num(value[1]) - np.nan_to_num(value[0])),
        "p_churn_change": pa.array(risk[1] - risk[0], from_pandas=True),
        "reasons": pa.array([row if row is not None else no_reasons.as_py() for row in rows["reasons"].to_pylist()]),
    }
    return pa.Table.from_arrays([columns[name].cast(schema.field(name).type) for name in schema.names], schema=schema)


def _numbers(rows: pa.Table, name: str) -> tuple[Vector, Vector]:
    """The values before and after; null becomes NaN."""
    before, after = (rows[f"{when}_{name}"].to_numpy(zero_copy_only=False) for when in ("old", "new"))
    return before.astype(np.float64), after.astype(np.float64)


def _refuse_places(old: str, new: str, out: pathlib.Path | None) -> None:
    given = [pathlib.Path(path).resolve() for path in (old, new)]
    if given[0] == given[1]:
        hint = "pass the older scores first and the newer ones second"
        raise errors.BadInput("the same file is given twice: nobody can have moved", first=new, hint=hint)
    if out is not None:
        output.check(out)
        if out.resolve() in given:
            raise errors.CannotWrite(
                "the target is one of the files compared", first=str(out), hint="pass another --out"
            )


def _refuse_pair(old: ScoreFile, new: ScoreFile) -> None:
    if (old.churn_days, old.value_days) != (new.churn_days, new.value_days):
        windows = [f"churn {each.churn_days} d, value {each.value_days} d" for each in (old, new)]
        hint = "score both days with bundles of equal --churn-days and --value-days"
        raise errors.BadInput("not comparable: the horizons differ", first=" against ".join(windows), hint=hint)
    if old.currency != new.currency:
        names = " against ".join(each.currency or "no currency" for each in (old, new))
        hint = "score both days with bundles of one clv.currency"
        raise errors.BadInput("not comparable: the currencies differ", first=names, hint=hint)
    if old.as_of > new.as_of:
        first = f"{old.path} as of {old.as_of}, {new.path} as of {new.as_of}"
        hint = f"pass the older scores first: tiercast moves {new.path} {old.path}"
        raise errors.BadInput("the second scores are older than the first", first=first, hint=hint)


def _refuse_letters(tiers: set[str], new: ScoreFile) -> None:
    wrong = sorted(tiers - {*grid.TIERS, moves.ABSENT})
    if wrong:
        first = f"tier {wrong[0]!r}, in {new.path} or the scores before"
        raise errors.BadInput("there is a tier that is none of A to F", first=first, hint="score both days again")
