"""Tables: where a column of each comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from ibis.expr import operations as ops

from tiercast.features.engines.arrays import column as columns
from tiercast.features.engines.arrays import groups as grouping
from tiercast.features.engines.arrays.column import Column, Places, UnknownOperation
from tiercast.features.engines.arrays.groups import Groups
from tiercast.features.engines.arrays.reductions import REDUCTIONS
from tiercast.features.engines.arrays.steps import Relation, Run, Step, once
from tiercast.features.engines.arrays.values import VALUES

Within = Callable[[Run], Groups] | None
Size = Callable[[Run], int]


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
            raise UnknownOperation(f"{type(node).__name__} without groups")
        reduce, groups = REDUCTIONS[type(node)], within
        given = None if isinstance(node, ops.CountStar) else self.value(node.arg)
        where = None if node.where is None else self.value(node.where)

        def step(run: Run) -> Column:
            found = groups(run)
            column = columns.full(given(run), found.n) if given else Column(np.zeros(found.n, np.int64))
            used = column.known
            if where is not None:
                holds = columns.is_true(columns.full(where(run), found.n))
                used = holds if used is None else used & holds
            return reduce(found, column, used)

        return step

    def _neighbour(self, node: ops.WindowFunction) -> Step:
        if not isinstance(node.func, ops.Lag | ops.Lead) or node.func.offset or node.func.default:
            raise UnknownOperation(f"{type(node.func).__name__} over a window")
        (key,) = node.order_by
        if key.nulls_first or not key.ascending:
            raise UnknownOperation("a window in another order than ascending, nulls last")
        given, step = self.value(node.func.arg), -1 if isinstance(node.func, ops.Lag) else 1
        line = self._line(node)
        return lambda run: grouping.neighbour(line(run), given(run), step)

    def codes(self, keys: Sequence[Step], size: Size) -> Callable[[Run], grouping.Codes]:
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


def _numbered(key: Step, size: Size) -> Callable[[Run], grouping.Codes]:
    return once(lambda run: grouping.codes(columns.full(key(run), size(run))))


def _table(compiler: Compiler, node: ops.UnboundTable) -> Relation:
    def column(name: str) -> Step:
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

    def places(run: Run) -> Places:
        stays = np.ones(parent.size(run), bool)
        for condition in conditions:
            stays = stays & columns.is_true(condition(run))
        return columns.places(np.flatnonzero(stays), len(stays))

    kept = once(places)
    return Relation(_taken(parent.columns, parent.size, kept), lambda run: kept(run).n)


def _taken(given: Mapping[str, Step], size: Size, places: Callable[[Run], Places]) -> dict[str, Step]:
    """The columns at these places."""

    def column(given: Step) -> Step:
        return once(lambda run: columns.take(columns.full(given(run), size(run)), places(run)))

    return {name: column(step) for name, step in given.items()}


def _aggregate(compiler: Compiler, node: ops.Aggregate) -> Relation:
    parent = compiler.relation(node.parent)
    keys = {name: compiler.value(value) for name, value in node.groups.items()}
    if not keys:
        raise UnknownOperation("an aggregate without groups")
    codes = compiler.codes(list(keys.values()), parent.size)
    groups = once(lambda run: grouping.groups(codes(run)))

    firsts = _taken(keys, parent.size, lambda run: groups(run).firsts())
    metrics = {name: compiler.value(value, groups) for name, value in node.metrics.items()}
    return Relation(firsts | metrics, lambda run: len(groups(run).starts))


def _join(compiler: Compiler, node: ops.JoinChain) -> Relation:
    (link,) = node.rest
    (predicate,) = link.predicates
    if link.how not in ("left", "outer") or not isinstance(predicate, ops.Equals):
        raise UnknownOperation(f"a {link.how} join on {type(predicate).__name__}")
    left, right = compiler.relation(node.first), compiler.relation(link.table)
    keys = compiler.value(predicate.left), compiler.value(predicate.right)

    def places(run: Run) -> tuple[Places, Places]:
        n, n_right = left.size(run), right.size(run)
        here, there = grouping.matches(columns.full(keys[0](run), n), columns.full(keys[1](run), n_right))
        if link.how == "outer":
            alone = np.setdiff1d(np.arange(n_right), there)
            here, there = np.concatenate([here, np.full(len(alone), -1)]), np.concatenate([there, alone])
        return columns.places(here, n), columns.places(there, n_right)

    joined = once(places)
    fields = {name: compiler.value(value) for name, value in node.values.items()}
    of_left = {name for name, value in node.values.items() if value.rel == node.first}
    ours = _taken({k: v for k, v in fields.items() if k in of_left}, left.size, lambda run: joined(run)[0])
    theirs = _taken({k: v for k, v in fields.items() if k not in of_left}, right.size, lambda run: joined(run)[1])
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


def _known(builders: Mapping[type, Callable[..., Any]], node: Any) -> Callable[..., Any]:
    build = builders.get(type(node))
    if build is None:
        raise UnknownOperation(f"this engine has no {type(node).__name__}")
    return build
