"""Values row by row: literals, arithmetic, comparisons, conditions; and the table of all operations."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from ibis.expr import operations as ops
from numpy.typing import NDArray

from tiercast.contract.vectors import Mask
from tiercast.features.engines.arrays import casts, choices, texts
from tiercast.features.engines.arrays import column as columns
from tiercast.features.engines.arrays.column import Column, UnknownOperation
from tiercast.features.engines.arrays.steps import Build, Run, Step, Values

EPOCH = datetime.date(1970, 1, 1)


def literal(of: Values, node: ops.Literal, within: Any) -> Step:
    found = columns.null(node.dtype) if node.value is None else Column(_single(node.value))
    return lambda run: found


def _single(value: Any) -> NDArray[Any]:
    if isinstance(value, datetime.date):
        return np.array((value - EPOCH).days, np.int64)
    if isinstance(value, str):
        return np.array(value, object)
    if isinstance(value, bool | int | float | np.number):
        return np.array(value)
    raise UnknownOperation(f"no array holds {value!r}")


def date(of: Values, node: ops.DateFromYMD, within: Any) -> Step:
    parts = (node.year, node.month, node.day)
    found = Column(_single(datetime.date(*(part.value for part in parts))))
    return lambda run: found


def strict(function: Callable[..., NDArray[Any]], *names: str) -> Build:
    """Null where any argument is. Beside a decimal, a whole number is brought to the decimal's last place."""

    def build(of: Values, node: ops.Value, within: Any) -> Step:
        args = [getattr(node, name) for name in names]
        scale = max([arg.dtype.scale for arg in args if arg.dtype.is_decimal()], default=0)
        steps = [_at_scale(of.value(arg, within), arg, scale) for arg in args]

        def step(run: Run) -> Column:
            given = [each(run) for each in steps]
            return Column(function(*(each.values for each in given)), columns.are_known(given))

        return step

    return build


def _at_scale(step: Step, node: ops.Value, scale: int) -> Step:
    if scale == 0 or (node.dtype.is_decimal() and node.dtype.scale == scale):
        return step
    if not node.dtype.is_integer():
        raise UnknownOperation(f"no arithmetic of decimals with {node.dtype}")

    def scaled(run: Run) -> Column:
        given = step(run)
        return Column(given.values * 10**scale, given.known)

    return scaled


def try_cast(of: Values, node: ops.TryCast, within: Any) -> Step:
    given, convert = of.value(node.arg, within), casts.cast(node.arg.dtype, node.to)
    return lambda run: convert(given(run))


def cast(of: Values, node: ops.Cast, within: Any) -> Step:
    """Raises `OverflowError` in the run where a value does not fit."""
    given, convert = of.value(node.arg, within), casts.cast(node.arg.dtype, node.to)

    def step(run: Run) -> Column:
        column = given(run)
        found = convert(column)
        if found.known is not None and found.known is not column.known:
            n_given = column.values.size if column.known is None else np.count_nonzero(column.known)
            if np.count_nonzero(found.known) < n_given:
                raise OverflowError(f"a value of {node.arg.dtype} does not fit in {node.to}")
        return found

    return step


def alias(of: Values, node: ops.Alias, within: Any) -> Step:
    return of.value(node.arg, within)


def both(of: Values, node: ops.And, within: Any) -> Step:
    """False where either is, else null where either is null."""
    left, right = of.value(node.left, within), of.value(node.right, within)

    def step(run: Run) -> Column:
        one, other = left(run), right(run)
        if one.known is None and other.known is None:
            return Column(one.values & other.values)
        is_no = _is_false(one) | _is_false(other)
        return Column(~is_no, columns.known_or_true(one, other) | is_no)

    return step


def either(of: Values, node: ops.Or, within: Any) -> Step:
    """True where either is, else null where either is null."""
    left, right = of.value(node.left, within), of.value(node.right, within)

    def step(run: Run) -> Column:
        one, other = left(run), right(run)
        is_yes = columns.is_true(one) | columns.is_true(other)
        if one.known is None and other.known is None:
            return Column(is_yes)
        return Column(is_yes, columns.known_or_true(one, other) | is_yes)

    return step


def _is_false(column: Column) -> Mask:
    return ~column.values if column.known is None else ~column.values & column.known


def is_null(of: Values, node: ops.IsNull, within: Any) -> Step:
    given = of.value(node.arg, within)

    def step(run: Run) -> Column:
        column = given(run)
        return Column(np.zeros(column.values.shape, bool) if column.known is None else ~column.known)

    return step


def not_null(of: Values, node: ops.NotNull, within: Any) -> Step:
    given = is_null(of, node, within)
    return lambda run: Column(~given(run).values)


def null_if(of: Values, node: ops.NullIf, within: Any) -> Step:
    left, right = of.value(node.arg, within), of.value(node.null_if_expr, within)

    def step(run: Run) -> Column:
        one, other = left(run), right(run)
        is_same = columns.is_true(Column(one.values == other.values, columns.are_known([one, other])))
        return Column(one.values, ~is_same if one.known is None else one.known & ~is_same)

    return step


VALUES: Mapping[type, Build] = {
    ops.Literal: literal,
    ops.DateFromYMD: date,
    ops.Cast: cast,
    ops.TryCast: try_cast,
    ops.Date: lambda of, node, within: cast(of, ops.Cast(node.arg, "date"), within),
    ops.Alias: alias,
    ops.Add: strict(np.add, "left", "right"),
    ops.Subtract: strict(np.subtract, "left", "right"),
    ops.Multiply: strict(np.multiply, "left", "right"),
    ops.Divide: strict(np.true_divide, "left", "right"),
    ops.DateDelta: strict(np.subtract, "left", "right"),
    ops.Equals: strict(np.equal, "left", "right"),
    ops.Greater: strict(np.greater, "left", "right"),
    ops.GreaterEqual: strict(np.greater_equal, "left", "right"),
    ops.Less: strict(np.less, "left", "right"),
    ops.LessEqual: strict(np.less_equal, "left", "right"),
    ops.Negate: strict(np.negative, "arg"),
    ops.Abs: strict(np.abs, "arg"),
    ops.Sqrt: strict(np.sqrt, "arg"),
    ops.IsNan: strict(np.isnan, "arg"),
    ops.Not: strict(np.logical_not, "arg"),
    ops.And: both,
    ops.Or: either,
    ops.IsNull: is_null,
    ops.NotNull: not_null,
    ops.NullIf: null_if,
    ops.Greatest: choices.greatest,
    ops.IfElse: choices.if_else,
    ops.SearchedCase: choices.searched_case,
    ops.SimpleCase: choices.simple_case,
    ops.Coalesce: choices.coalesce,
    ops.InValues: texts.in_values,
    ops.Strip: texts.strip,
    ops.StringLength: texts.length,
    ops.RegexSearch: texts.search,
    ops.StringConcat: texts.concatenate,
}
