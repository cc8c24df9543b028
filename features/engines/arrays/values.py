"""Operations on single rows: literals, arithmetic, comparisons, conditions; and the table of all operations."""

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
from tiercast.features.engines.arrays.column import Column, UnsupportedOperation
from tiercast.features.engines.arrays.steps import Builder, ColumnStep, Evaluation, ValueCompiler

EPOCH = datetime.date(1970, 1, 1)


def literal(compiler: ValueCompiler, node: ops.Literal, within: Any) -> ColumnStep:
    found = columns.null(node.dtype) if node.value is None else Column(_single(node.value))
    return lambda run: found


def _single(value: Any) -> NDArray[Any]:
    if isinstance(value, datetime.date):
        return np.array((value - EPOCH).days, np.int64)
    if isinstance(value, str):
        return np.array(value, object)
    if isinstance(value, bool | int | float | np.number):
        return np.array(value)
    raise UnsupportedOperation(f"no array holds {value!r}")


def date(compiler: ValueCompiler, node: ops.DateFromYMD, within: Any) -> ColumnStep:
    parts = (node.year, node.month, node.day)
    found = Column(_single(datetime.date(*(part.value for part in parts))))
    return lambda run: found


def strict(function: Callable[..., NDArray[Any]], *names: str) -> Builder:
    """A function of columns that is null where any argument is; whole numbers are scaled to a decimal's last place."""

    def build(compiler: ValueCompiler, node: ops.Value, within: Any) -> ColumnStep:
        args = [getattr(node, name) for name in names]
        scale = max([arg.dtype.scale for arg in args if arg.dtype.is_decimal()], default=0)
        steps = [_at_scale(compiler.value(arg, within), arg, scale) for arg in args]

        def step(run: Evaluation) -> Column:
            given = [each(run) for each in steps]
            return Column(function(*(each.values for each in given)), columns.all_known(given))

        return step

    return build


def _at_scale(step: ColumnStep, node: ops.Value, scale: int) -> ColumnStep:
    if scale == 0 or (node.dtype.is_decimal() and node.dtype.scale == scale):
        return step
    if not node.dtype.is_integer():
        raise UnsupportedOperation(f"no arithmetic of decimals with {node.dtype}")

    def scaled(run: Evaluation) -> Column:
        given = step(run)
        return Column(given.values * 10**scale, given.known)

    return scaled


def try_cast(compiler: ValueCompiler, node: ops.TryCast, within: Any) -> ColumnStep:
    given, convert = compiler.value(node.arg, within), casts.cast(node.arg.dtype, node.to)
    return lambda run: convert(given(run))


def cast(compiler: ValueCompiler, node: ops.Cast, within: Any) -> ColumnStep:
    """Raises `OverflowError` in the evaluation where a value does not fit."""
    given, convert = compiler.value(node.arg, within), casts.cast(node.arg.dtype, node.to)

    def step(run: Evaluation) -> Column:
        column = given(run)
        found = convert(column)
        if found.known is not None and found.known is not column.known:
            n_given = column.values.size if column.known is None else np.count_nonzero(column.known)
            if np.count_nonzero(found.known) < n_given:
                raise OverflowError(f"a value of {node.arg.dtype} does not fit in {node.to}")
        return found

    return step


def alias(compiler: ValueCompiler, node: ops.Alias, within: Any) -> ColumnStep:
    return compiler.value(node.arg, within)


def both(compiler: ValueCompiler, node: ops.And, within: Any) -> ColumnStep:
    """SQL's AND: false where either is false, else null where either is null."""
    left, right = compiler.value(node.left, within), compiler.value(node.right, within)

    def step(run: Evaluation) -> Column:
        one, other = left(run), right(run)
        if one.known is None and other.known is None:
            return Column(one.values & other.values)
        is_no = _is_false(one) | _is_false(other)
        return Column(~is_no, columns.known_or_true(one, other) | is_no)

    return step


def either(compiler: ValueCompiler, node: ops.Or, within: Any) -> ColumnStep:
    """SQL's OR: true where either is true, else null where either is null."""
    left, right = compiler.value(node.left, within), compiler.value(node.right, within)

    def step(run: Evaluation) -> Column:
        one, other = left(run), right(run)
        is_yes = columns.is_true(one) | columns.is_true(other)
        if one.known is None and other.known is None:
            return Column(is_yes)
        return Column(is_yes, columns.known_or_true(one, other) | is_yes)

    return step


def _is_false(column: Column) -> Mask:
    return ~column.values if column.known is None else ~column.values & column.known


def is_null(compiler: ValueCompiler, node: ops.IsNull, within: Any) -> ColumnStep:
    given = compiler.value(node.arg, within)

    def step(run: Evaluation) -> Column:
        column = given(run)
        return Column(np.zeros(column.values.shape, bool) if column.known is None else ~column.known)

    return step


def not_null(compiler: ValueCompiler, node: ops.NotNull, within: Any) -> ColumnStep:
    given = is_null(compiler, node, within)
    return lambda run: Column(~given(run).values)


def null_if(compiler: ValueCompiler, node: ops.NullIf, within: Any) -> ColumnStep:
    left, right = compiler.value(node.arg, within), compiler.value(node.null_if_expr, within)

    def step(run: Evaluation) -> Column:
        one, other = left(run), right(run)
        is_same = columns.is_true(Column(one.values == other.values, columns.all_known([one, other])))
        return Column(one.values, ~is_same if one.known is None else one.known & ~is_same)

    return step


VALUES: Mapping[type, Builder] = {
    ops.Literal: literal,
    ops.DateFromYMD: date,
    ops.Cast: cast,
    ops.TryCast: try_cast,
    ops.Date: lambda compiler, node, within: cast(compiler, ops.Cast(node.arg, "date"), within),
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
