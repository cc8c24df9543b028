"""Relations: compile tables and joins to functions that compute their columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from ibis.expr import operations as ops

from tiercast.features.engines.arrays import column as columns
from tiercast.features.engines.arrays import groups as grouping
from tiercast.features.engines.arrays.column import Column, RowSelection, UnsupportedOperation
from tiercast.features.engines.arrays.groups import Groups
from tiercast.features.engines.arrays.reductions import REDUCTIONS
from tiercast.features.engines.arrays.steps import ColumnStep, Evaluation, Relation, cached
from tiercast.features.engines.arrays.values import VALUES

Within = Callable[[Evaluation], Groups] | None
Size = Callable[[Evaluation], int]


class Compiler:
    """Compiles Ibis operations, each operation once."""

    def __init__(self) -> None:
        self._relations: dict[ops.Relation, Relation] = {}
        self._values: dict[tuple[ops.Value, Within], ColumnStep] = {}
        self._codes: dict[ColumnStep, Callable[[Evaluation], grouping.Codes]] = {}
        self._windows: dict[tuple[Any, ...], Callable[[Evaluation], grouping.WindowOrder]] = {}

    def relation(self, node: ops.Relation) -> Relation:
        if node not in self._relations:
            self._relations[node] = _builder(RELATIONS, node)(self, node)
        return self._relations[node]

    def value(self, node: ops.Value, within: Within = None) -> ColumnStep:
        """The function that computes a value; `within` has the groups where the value contains a reduction."""
        if (node, within) not in self._values:
            self._values[node, within] = self._step(node, within)
        return self._values[node, within]

    def _step(self, node: ops.Value, within: Within) -> ColumnStep:
        if isinstance(node, ops.Field):
            return self.relation(node.rel).columns[node.name]
        if isinstance(node, ops.WindowFunction):
            return cached(self._shift(node))
        if type(node) in REDUCTIONS:
            return cached(self._reduction(node, within))
        step: ColumnStep = _builder(VALUES, node)(self, node, within)
        return step if isinstance(node, ops.Literal) else cached(step)

    def _reduction(self, node: ops.Reduction, within: Within) -> ColumnStep:
        if within is None:
            raise UnsupportedOperation(f"{type(node).__name__} without groups")
        reduce, groups = REDUCTIONS[type(node)], within
        given = None if isinstance(node, ops.CountStar) else self.value(node.arg)
        where = None if node.where is None else self.value(node.where)

        def step(run: Evaluation) -> Column:
            found = groups(run)
            column = columns.full(given(run), found.n) if given else Column(np.zeros(found.n, np.int64))
            used = column.known
            if where is not None:
                holds = columns.is_true(columns.full(where(run), found.n))
                used = holds if used is None else used & holds
            return reduce(found, column, used)

        return step

    def _shift(self, node: ops.WindowFunction) -> ColumnStep:
        if not isinstance(node.func, ops.Lag | ops.Lead) or node.func.offset or node.func.default:
            raise UnsupportedOperation(f"{type(node.func).__name__} over a window")
        (key,) = node.order_by
        if key.nulls_first or not key.ascending:
            raise UnsupportedOperation("a window in another order than ascending, nulls last")
        given, step = self.value(node.func.arg), -1 if isinstance(node.func, ops.Lag) else 1
        window = self._window(node)
        return lambda run: grouping.shift(window(run), given(run), step)

    def codes(self, keys: Sequence[ColumnStep], size: Size) -> Callable[[Evaluation], grouping.Codes]:
        """Codes that are equal exactly where all keys are. A column that is grouped by twice is encoded once."""
        steps = [self._codes.setdefault(key, _numbered(key, size)) for key in keys]
        return lambda run: grouping.combine_keys([step(run) for step in steps])

    def _window(self, node: ops.WindowFunction) -> Callable[[Evaluation], grouping.WindowOrder]:
        (key,) = node.order_by
        place = (node.group_by, key)
        if place not in self._windows:
            size = self.relation(next(iter(node.relations))).size
            keys, by = self.codes([self.value(each) for each in node.group_by], size), self.value(key.arg)
            self._windows[place] = cached(lambda run: grouping.sort_window(keys(run), by(run)))
        return self._windows[place]


def _numbered(key: ColumnStep, size: Size) -> Callable[[Evaluation], grouping.Codes]:
    return cached(lambda run: grouping.encode(columns.full(key(run), size(run))))


def _table(compiler: Compiler, node: ops.UnboundTable) -> Relation:
    def column(name: str) -> ColumnStep:
        return lambda run: run.tables[node.name].columns[name]

    return Relation({name: column(name) for name in node.schema.names}, lambda run: run.tables[node.name].n)


def _project(compiler: Compiler, node: ops.Project) -> Relation:
    found = {name: compiler.value(value) for name, value in node.values.items()}
    return Relation(found, compiler.relation(node.parent).size)


def _drop(compiler: Compiler, node: ops.DropColumns) -> Relation:
    parent = compiler.relation(node.parent)
    kept = {name: step for name, step in parent.columns.items() if name not in node.columns_to_drop}
    return Relation(kept, parent.size)


def _filter(compiler: Compiler, node: ops.Filter) -> Relation:
    parent = compiler.relation(node.parent)
    conditions = [compiler.value(predicate) for predicate in node.predicates]

    def select(run: Evaluation) -> RowSelection:
        stays = np.ones(parent.size(run), bool)
        for condition in conditions:
            stays = stays & columns.is_true(condition(run))
        return columns.select_rows(np.flatnonzero(stays), len(stays))

    kept = cached(select)
    return Relation(_select_columns(parent.columns, parent.size, kept), lambda run: kept(run).n)


def _select_columns(
    given: Mapping[str, ColumnStep], size: Size, selection: Callable[[Evaluation], RowSelection]
) -> dict[str, ColumnStep]:
    """The columns, restricted to the selected rows."""

    def column(given: ColumnStep) -> ColumnStep:
        return cached(lambda run: columns.take(columns.full(given(run), size(run)), selection(run)))

    return {name: column(step) for name, step in given.items()}


def _aggregate(compiler: Compiler, node: ops.Aggregate) -> Relation:
    parent = compiler.relation(node.parent)
    keys = {name: compiler.value(value) for name, value in node.groups.items()}
    if not keys:
        raise UnsupportedOperation("an aggregate without groups")
    codes = compiler.codes(list(keys.values()), parent.size)
    groups = cached(lambda run: grouping.groups(codes(run)))

    firsts = _select_columns(keys, parent.size, lambda run: groups(run).firsts())
    metrics = {name: compiler.value(value, groups) for name, value in node.metrics.items()}
    return Relation(firsts | metrics, lambda run: len(groups(run).starts))


def _join(compiler: Compiler, node: ops.JoinChain) -> Relation:
    (link,) = node.rest
    (predicate,) = link.predicates
    if link.how not in ("left", "outer") or not isinstance(predicate, ops.Equals):
        raise UnsupportedOperation(f"a {link.how} join on {type(predicate).__name__}")
    left, right = compiler.relation(node.first), compiler.relation(link.table)
    keys = compiler.value(predicate.left), compiler.value(predicate.right)

    def select(run: Evaluation) -> tuple[RowSelection, RowSelection]:
        n, n_right = left.size(run), right.size(run)
        here, there = grouping.match_rows(columns.full(keys[0](run), n), columns.full(keys[1](run), n_right))
        if link.how == "outer":
            alone = np.setdiff1d(np.arange(n_right), there)
            here, there = np.concatenate([here, np.full(len(alone), -1)]), np.concatenate([there, alone])
        return columns.select_rows(here, n), columns.select_rows(there, n_right)

    joined = cached(select)
    fields = {name: compiler.value(value) for name, value in node.values.items()}
    of_left = {name for name, value in node.values.items() if value.rel == node.first}
    ours = _select_columns({k: v for k, v in fields.items() if k in of_left}, left.size, lambda run: joined(run)[0])
    theirs = _select_columns(
        {k: v for k, v in fields.items() if k not in of_left}, right.size, lambda run: joined(run)[1]
    )
    return Relation(ours | theirs, lambda run: joined(run)[0].n)


RELATIONS: Mapping[type, Callable[[Compiler, Any], Relation]] = {
    ops.UnboundTable: _table,
    ops.Project: _project,
    ops.DropColumns: _drop,
    ops.Filter: _filter,
    ops.Aggregate: _aggregate,
    ops.JoinChain: _join,
    ops.JoinReference: lambda compiler, node: compiler.relation(node.parent),
}


def _builder(builders: Mapping[type, Callable[..., Any]], node: Any) -> Callable[..., Any]:
    build = builders.get(type(node))
    if build is None:
        raise UnsupportedOperation(f"this engine has no {type(node).__name__}")
    return build
