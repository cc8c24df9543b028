"""Choose between values: if-else, case, coalesce, greatest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ibis.expr import operations as ops

from tiercast.contract.vectors import Mask
from tiercast.features.engines.arrays import column as columns
from tiercast.features.engines.arrays.column import Column
from tiercast.features.engines.arrays.steps import ColumnStep, Evaluation, ValueCompiler


def greatest(compiler: ValueCompiler, node: ops.Greatest, within: Any) -> ColumnStep:
    """The largest value of each row; nulls are ignored."""
    steps = [compiler.value(arg, within) for arg in node.arg]

    def step(run: Evaluation) -> Column:
        first, *others = (each(run) for each in steps)
        for other in others:
            first = _larger(first, other)
        return first

    return step


def _larger(one: Column, other: Column) -> Column:
    values = np.maximum(one.values, other.values)
    if one.known is not None:
        values = np.where(one.known, values, other.values)
    if other.known is not None:
        values = np.where(other.known, values, one.values)
    is_either = None if one.known is None or other.known is None else one.known | other.known
    return Column(values, is_either)


def if_else(compiler: ValueCompiler, node: ops.IfElse, within: Any) -> ColumnStep:
    return _choice(compiler, [node.bool_expr], [node.true_expr], node.false_null_expr, within)


def searched_case(compiler: ValueCompiler, node: ops.SearchedCase, within: Any) -> ColumnStep:
    return _choice(compiler, node.cases, node.results, node.default, within)


def simple_case(compiler: ValueCompiler, node: ops.SimpleCase, within: Any) -> ColumnStep:
    conditions = [ops.Equals(node.base, case) for case in node.cases]
    return _choice(compiler, conditions, node.results, node.default, within)


def coalesce(compiler: ValueCompiler, node: ops.Coalesce, within: Any) -> ColumnStep:
    *firsts, last = node.arg
    return _choice(compiler, [ops.NotNull(arg) for arg in firsts], firsts, last, within)


def _choice(
    compiler: ValueCompiler, cases: Sequence[ops.Value], results: Sequence[ops.Value], default: ops.Value, within: Any
) -> ColumnStep:
    """The result of the first condition that holds. A result that no row needs is not computed."""
    pairs = [(compiler.value(case, within), compiler.value(result, within)) for case, result in zip(cases, results)]
    otherwise = compiler.value(default, within)

    def step(run: Evaluation) -> Column:
        chosen: list[tuple[Mask, Column]] = []
        rest: Mask | None = None
        for case, result in pairs:
            holds = columns.is_true(case(run))
            here = holds if rest is None else holds & rest
            n_here, n_rest = np.count_nonzero(here), here.size if rest is None else np.count_nonzero(rest)
            if n_here and n_here == n_rest:
                found = result(run)
                break
            if n_here:
                chosen.append((here, result(run)))
                rest = ~holds if rest is None else rest & ~holds
        else:
            found = otherwise(run)
        for here, column in reversed(chosen):
            found = _where(here, column, found)
        return found

    return step


def _where(condition: Mask, one: Column, other: Column) -> Column:
    values = np.where(condition, one.values, other.values)
    if one.known is None and other.known is None:
        return Column(values)
    return Column(values, np.where(condition, columns.known_or_true(one), columns.known_or_true(other)))
