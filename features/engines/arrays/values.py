"""Values row by row: arithmetic, comparisons, conditions, choices, texts."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from ibis.expr import operations as ops
from numpy.typing import NDArray
from pyarrow import compute

from features.engines.arrays import casts
from features.engines.arrays import column as columns
from features.engines.arrays.column import FEW, Column, Mask
from features.engines.arrays.steps import Run

if TYPE_CHECKING:
    from features.engines.arrays.relations import Compiler

Step = Callable[[Run], Column]
Build = Callable[["Compiler", Any, Any], Step]
EPOCH = datetime.date(1970, 1, 1)
BLANKS = " \t\n\r\v\f"


def literal(compiler: Compiler, node: ops.Literal, within: Any) -> Step:
    found = columns.null(node.dtype) if node.value is None else Column(_single(node.value))
    return lambda run: found


def _single(value: Any) -> NDArray[Any]:
    if isinstance(value, datetime.date):
        return np.array((value - EPOCH).days, np.int64)
    if isinstance(value, str):
        return np.array(value, object)
    if isinstance(value, bool | int | float | np.number):
        return np.array(value)
    raise NotImplementedError(f"no array holds {value!r}")


def date(compiler: Compiler, node: ops.DateFromYMD, within: Any) -> Step:
    parts = (node.year, node.month, node.day)
    found = Column(_single(datetime.date(*(part.value for part in parts))))
    return lambda run: found


def strict(function: Callable[..., NDArray[Any]], *names: str) -> Build:
    """Null where any argument is. Beside a decimal, a whole number is brought to the decimal's last place."""

    def build(compiler: Compiler, node: ops.Value, within: Any) -> Step:
        args = [getattr(node, name) for name in names]
        scale = max([arg.dtype.scale for arg in args if arg.dtype.is_decimal()], default=0)
        steps = [_at_scale(compiler.value(arg, within), arg, scale) for arg in args]

        def step(run: Run) -> Column:
            given = [each(run) for each in steps]
            return Column(function(*(each.values for each in given)), columns.are_known(given))

        return step

    return build


def _at_scale(step: Step, node: ops.Value, scale: int) -> Step:
    if scale == 0 or (node.dtype.is_decimal() and node.dtype.scale == scale):
        return step
    if not node.dtype.is_integer():
        raise NotImplementedError(f"no arithmetic of decimals with {node.dtype}")

    def scaled(run: Run) -> Column:
        given = step(run)
        return Column(given.values * 10**scale, given.known)

    return scaled


def try_cast(compiler: Compiler, node: ops.TryCast, within: Any) -> Step:
    given, convert = compiler.value(node.arg, within), casts.cast(node.arg.dtype, node.to)
    return lambda run: convert(given(run))


def cast(compiler: Compiler, node: ops.Cast, within: Any) -> Step:
    """Raises `OverflowError` in the run where a value does not fit."""
    given, convert = compiler.value(node.arg, within), casts.cast(node.arg.dtype, node.to)

    def step(run: Run) -> Column:
        column = given(run)
        found = convert(column)
        if found.known is not None and found.known is not column.known:
            n_given = column.values.size if column.known is None else np.count_nonzero(column.known)
            if np.count_nonzero(found.known) < n_given:
                raise OverflowError(f"a value of {node.arg.dtype} does not fit in {node.to}")
        return found

    return step


def alias(compiler: Compiler, node: ops.Alias, within: Any) -> Step:
    return compiler.value(node.arg, within)


def both(compiler: Compiler, node: ops.And, within: Any) -> Step:
    """False where either is, else null where either is null."""
    left, right = compiler.value(node.left, within), compiler.value(node.right, within)

    def step(run: Run) -> Column:
        one, other = left(run), right(run)
        if one.known is None and other.known is None:
            return Column(one.values & other.values)
        is_no = _is_false(one) | _is_false(other)
        return Column(~is_no, _all_known(one, other) | is_no)

    return step


def either(compiler: Compiler, node: ops.Or, within: Any) -> Step:
    """True where either is, else null where either is null."""
    left, right = compiler.value(node.left, within), compiler.value(node.right, within)

    def step(run: Run) -> Column:
        one, other = left(run), right(run)
        is_yes = columns.is_true(one) | columns.is_true(other)
        if one.known is None and other.known is None:
            return Column(is_yes)
        return Column(is_yes, _all_known(one, other) | is_yes)

    return step


def _is_false(column: Column) -> Mask:
    return ~column.values if column.known is None else ~column.values & column.known


def _all_known(*given: Column) -> Any:
    known = columns.are_known(given)
    return True if known is None else known


def is_null(compiler: Compiler, node: ops.IsNull, within: Any) -> Step:
    given = compiler.value(node.arg, within)

    def step(run: Run) -> Column:
        column = given(run)
        return Column(np.zeros(column.values.shape, bool) if column.known is None else ~column.known)

    return step


def not_null(compiler: Compiler, node: ops.NotNull, within: Any) -> Step:
    given = is_null(compiler, node, within)
    return lambda run: Column(~given(run).values)


def null_if(compiler: Compiler, node: ops.NullIf, within: Any) -> Step:
    left, right = compiler.value(node.arg, within), compiler.value(node.null_if_expr, within)

    def step(run: Run) -> Column:
        one, other = left(run), right(run)
        is_same = columns.is_true(Column(one.values == other.values, columns.are_known([one, other])))
        return Column(one.values, ~is_same if one.known is None else one.known & ~is_same)

    return step


def greatest(compiler: Compiler, node: ops.Greatest, within: Any) -> Step:
    """Nulls are left out."""
    steps = [compiler.value(arg, within) for arg in node.arg]

    def step(run: Run) -> Column:
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


def if_else(compiler: Compiler, node: ops.IfElse, within: Any) -> Step:
    return _choice(compiler, [node.bool_expr], [node.true_expr], node.false_null_expr, within)


def searched_case(compiler: Compiler, node: ops.SearchedCase, within: Any) -> Step:
    return _choice(compiler, node.cases, node.results, node.default, within)


def simple_case(compiler: Compiler, node: ops.SimpleCase, within: Any) -> Step:
    conditions = [ops.Equals(node.base, case) for case in node.cases]
    return _choice(compiler, conditions, node.results, node.default, within)


def coalesce(compiler: Compiler, node: ops.Coalesce, within: Any) -> Step:
    *firsts, last = node.arg
    return _choice(compiler, [ops.NotNull(arg) for arg in firsts], firsts, last, within)


def _choice(
    compiler: Compiler, cases: Sequence[ops.Value], results: Sequence[ops.Value], default: ops.Value, within: Any
) -> Step:
    """The result of the first condition that holds. What no row asks for is not computed."""
    pairs = [(compiler.value(case, within), compiler.value(result, within)) for case, result in zip(cases, results)]
    otherwise = compiler.value(default, within)

    def step(run: Run) -> Column:
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
    return Column(values, np.where(condition, _all_known(one), _all_known(other)))


def in_values(compiler: Compiler, node: ops.InValues, within: Any) -> Step:
    wanted = {option.value for option in node.options}
    return _of_texts(lambda text: text in wanted, bool)(compiler, node.value, within)


def strip(compiler: Compiler, node: ops.Strip, within: Any) -> Step:
    return _of_texts(lambda text: text.strip(BLANKS), object)(compiler, node.arg, within)


def length(compiler: Compiler, node: ops.StringLength, within: Any) -> Step:
    given, one_by_one = compiler.value(node.arg, within), _of_texts(len, np.int64)(compiler, node.arg, within)

    def step(run: Run) -> Column:
        column = given(run)
        if column.values.size < FEW:
            return one_by_one(run)
        return Column(compute.utf8_length(run.written(column.values)).to_numpy(), column.known)

    return step


def _of_texts(function: Callable[[str], Any], kind: type) -> Build:
    def build(compiler: Compiler, arg: ops.Value, within: Any) -> Step:
        given = compiler.value(arg, within)

        def step(run: Run) -> Column:
            column = given(run)
            found: NDArray[Any] = np.empty(column.values.size, kind)
            found[:] = [function(text) for text in column.values.ravel().tolist()]
            return Column(found.reshape(column.values.shape), column.known)

        return step

    return build


def search(compiler: Compiler, node: ops.RegexSearch, within: Any) -> Step:
    """Arrow's expressions are RE2's, as DuckDB's are; for a few texts, Python's are quicker to start."""
    given, pattern = compiler.value(node.arg, within), node.pattern.value
    find = re.compile(re.sub(r"\$$", r"\\Z", pattern), re.ASCII).search  # Python's $ lets a line break follow

    def step(run: Run) -> Column:
        column = given(run)
        if column.values.size >= FEW:
            found = compute.match_substring_regex(run.written(column.values), pattern)
            return Column(found.to_numpy(zero_copy_only=False), column.known)
        found = np.array([find(text) is not None for text in column.values.ravel().tolist()], bool)
        return Column(found.reshape(column.values.shape), column.known)

    return step


def concatenate(compiler: Compiler, node: ops.StringConcat, within: Any) -> Step:
    steps = [compiler.value(arg, within) for arg in node.arg]

    def step(run: Run) -> Column:
        given = [each(run) for each in steps]
        values = given[0].values
        for each in given[1:]:
            values = values + each.values
        return Column(values, columns.are_known(given))

    return step


VALUES: Mapping[type, Build] = {
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
    ops.Greatest: greatest,
    ops.IfElse: if_else,
    ops.SearchedCase: searched_case,
    ops.SimpleCase: simple_case,
    ops.Coalesce: coalesce,
    ops.InValues: in_values,
    ops.Strip: strip,
    ops.StringLength: length,
    ops.RegexSearch: search,
    ops.StringConcat: concatenate,
}
