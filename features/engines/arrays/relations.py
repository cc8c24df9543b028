"""Tables: where a column of each comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from ibis.expr import operations as ops

from features.engines.arrays import column as columns
from features.engines.arrays import groups as grouping
from features.engines.arrays.column import Column
from features.engines.arrays.groups import Groups
from features.engines.arrays.reductions import REDUCTIONS
from features.engines.arrays.steps import Relation, Run, Step, once
from features.engines.arrays.values import VALUES

Within = Callable[[Run], Groups] | None


class Compiler:
    """Turns Ibis operations into steps, each operation once."""

    def __init__(self) -> None:
        self._relations: dict[ops.Relation, Relation] = {}
        self._values: dict[tuple[ops.Value, Within], Step] = {}
        self._codes: dict[Step, Callable[[Run], grouping.Codes]] = {}
        self._lines: dict[tuple[Any, ...], Callable[[Run], grouping.Line]] = {}

    def relation(self, node: ops.Relation) -> Relation:
        if node not in self._relations:
            self._relations[node] = _known(RELATIONS, node)(self, node)
        return self._relations[node]

    def value(self, node: ops.Value, within: Within = None) -> Step:
        """The step for a value; `within` groups where it is a reduction, or computed from some."""
        if (node, within) not in self._values:
            self._values[node, within] = self._step(node, within)
        return self._values[node, within]

    def _step(self, node: ops.Value, within: Within) -> Step:
        if isinstance(node, ops.Field):
            return self.relation(node.rel).columns[node.name]
        if isinstance(node, ops.WindowFunction):
            return once(self._neighbour(node))
        if type(node) in REDUCTIONS:
            return once(self._reduction(node, within))
        step: Step = _known(VALUES, node)(self, node, within)
        return step if isinstance(node, ops.Literal) else once(step)

    def _reduction(self, node: ops.Reduction, within: Within) -> Step:
        if within is None:
            raise NotImplementedError(f"{type(node).__name__} without groups")
        reduce, groups = REDUCTIONS[type(node)], within
        given = None if isinstance(node, ops.CountStar) else self.value(node.arg)
        where = None if node.where is None else self.value(node.where)

        def step(run: Run) -> Column:
            found = groups(run)
            n = len(found.order)
            column = columns.full(given(run), n) if given else Column(np.zeros(n, np.int64))
            used = column.known
            if where is not None:
                holds = columns.is_true(columns.full(where(run), n))
                used = holds if used is None else used & holds
            return reduce(found, column, used)

        return step

    def _neighbour(self, node: ops.WindowFunction) -> Step:
        if not isinstance(node.func, ops.Lag | ops.Lead) or node.func.offset or node.func.default:
            raise NotImplementedError(f"{type(node.func).__name__} over a window")
        (key,) = node.order_by
        if key.nulls_first or not key.ascending:
            raise NotImplementedError("a window in another order than ascending, nulls last")
        given, step = self.value(node.func.arg), -1 if isinstance(node.func, ops.Lag) else 1
        line = self._line(node)
        return lambda run: grouping.neighbour(line(run), given(run), step)

    def codes(self, keys: Sequence[Step], size: Callable[[Run], int]) -> Callable[[Run], grouping.Codes]:
        """Numbers that are equal where all keys are. What is grouped twice by the same column is numbered once."""
        steps = [self._codes.setdefault(key, _numbered(key, size)) for key in keys]
        return lambda run: grouping.together([step(run) for step in steps])

    def _line(self, node: ops.WindowFunction) -> Callable[[Run], grouping.Line]:
        (key,) = node.order_by
        place = (node.group_by, key)
        if place not in self._lines:
            size = self.relation(next(iter(node.relations))).size
            keys, by = self.codes([self.value(each) for each in node.group_by], size), self.value(key.arg)
            self._lines[place] = once(lambda run: grouping.line(keys(run), by(run)))
        return self._lines[place]


def _numbered(key: Step, size: Callable[[Run], int]) -> Callable[[Run], grouping.Codes]:
    return once(lambda run: grouping.codes(columns.full(key(run), size(run))))


def _table(compiler: Compiler, node: ops.UnboundTable) -> Relation:
    def column(name: str) -> Step:
        return once(lambda run: columns.from_arrow(run.tables[node.name].column(name)))

    return Relation({name: column(name) for name in node.schema.names}, lambda run: run.tables[node.name].num_rows)


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

    def rows(run: Run) -> grouping.Rows | None:
        """None where all stay: nothing needs to be moved then."""
        stays = np.ones(parent.size(run), bool)
        for condition in conditions:
            stays = stays & columns.is_true(condition(run))
        return None if stays.all() else np.flatnonzero(stays)

    kept = once(rows)

    def column(given: Step) -> Step:
        def step(run: Run) -> Column:
            places = kept(run)
            return given(run) if places is None else columns.take(given(run), places)

        return once(step)

    def size(run: Run) -> int:
        places = kept(run)
        return parent.size(run) if places is None else len(places)

    return Relation({name: column(step) for name, step in parent.columns.items()}, size)


def _aggregate(compiler: Compiler, node: ops.Aggregate) -> Relation:
    parent = compiler.relation(node.parent)
    keys = {name: compiler.value(value) for name, value in node.groups.items()}
    if not keys:
        raise NotImplementedError("an aggregate without groups")
    codes = compiler.codes(list(keys.values()), parent.size)
    groups = once(lambda run: grouping.groups(codes(run)))

    def of_first(key: Step) -> Step:
        def step(run: Run) -> Column:
            found = groups(run)
            return columns.take(columns.full(key(run), len(found.order)), found.order[found.starts])

        return once(step)

    metrics = {name: compiler.value(value, groups) for name, value in node.metrics.items()}
    return Relation({name: of_first(key) for name, key in keys.items()} | metrics, lambda run: len(groups(run).starts))


def _join(compiler: Compiler, node: ops.JoinChain) -> Relation:
    (link,) = node.rest
    (predicate,) = link.predicates
    if link.how not in ("left", "outer") or not isinstance(predicate, ops.Equals):
        raise NotImplementedError(f"a {link.how} join on {type(predicate).__name__}")
    left, right = compiler.relation(node.first), compiler.relation(link.table)
    keys = compiler.value(predicate.left), compiler.value(predicate.right)

    def rows(run: Run) -> tuple[grouping.Rows, grouping.Rows]:
        ours, theirs = columns.full(keys[0](run), left.size(run)), columns.full(keys[1](run), right.size(run))
        here, there = grouping.matches(ours, theirs)
        if link.how == "left":
            return here, there
        alone = np.setdiff1d(np.arange(len(theirs.values)), there)
        return np.concatenate([here, np.full(len(alone), -1)]), np.concatenate([there, alone])

    places = once(rows)

    def column(value: ops.Field) -> Step:
        side = 0 if value.rel == node.first else 1
        given, size = compiler.value(value), (left, right)[side].size

        def step(run: Run) -> Column:
            chosen = places(run)[side]
            found = chosen >= 0
            return columns.take(columns.full(given(run), size(run)), chosen, None if found.all() else found)

        return once(step)

    return Relation({name: column(value) for name, value in node.values.items()}, lambda run: len(places(run)[0]))


RELATIONS: Mapping[type, Callable[[Compiler, Any], Relation]] = {
    ops.UnboundTable: _table,
    ops.Project: _project,
    ops.DropColumns: _drop,
    ops.Filter: _filter,
    ops.Aggregate: _aggregate,
    ops.JoinChain: _join,
    ops.JoinReference: lambda compiler, node: compiler.relation(node.parent),
}


def _known(builders: Mapping[type, Callable[..., Any]], node: Any) -> Callable[..., Any]:
    build = builders.get(type(node))
    if build is None:
        raise NotImplementedError(f"this engine has no {type(node).__name__}")
    return build
