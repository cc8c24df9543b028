"""Operations on text: plain Python for few values, Arrow for many."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from ibis.expr import operations as ops
from numpy.typing import NDArray
from pyarrow import compute

from tiercast.features.engines.arrays import column as columns
from tiercast.features.engines.arrays.column import FEW, Column
from tiercast.features.engines.arrays.steps import Builder, ColumnStep, Evaluation, ValueCompiler

BLANKS = " \t\n\r\v\f"


def in_values(compiler: ValueCompiler, node: ops.InValues, within: Any) -> ColumnStep:
    wanted = {option.value for option in node.options}
    return _for_each_text(lambda text: text in wanted, bool)(compiler, node.value, within)


def strip(compiler: ValueCompiler, node: ops.Strip, within: Any) -> ColumnStep:
    return _for_each_text(lambda text: text.strip(BLANKS), object)(compiler, node.arg, within)


def length(compiler: ValueCompiler, node: ops.StringLength, within: Any) -> ColumnStep:
    given, one_by_one = compiler.value(node.arg, within), _for_each_text(len, np.int64)(compiler, node.arg, within)

    def step(run: Evaluation) -> Column:
        column = given(run)
        if column.values.size < FEW:
            return one_by_one(run)
        return Column(compute.utf8_length(run.to_arrow(column.values)).to_numpy(), column.known)

    return step


def _for_each_text(function: Callable[[str], Any], kind: type) -> Builder:
    def build(compiler: ValueCompiler, arg: ops.Value, within: Any) -> ColumnStep:
        given = compiler.value(arg, within)

        def step(run: Evaluation) -> Column:
            column = given(run)
            found: NDArray[Any] = np.empty(column.values.size, kind)
            found[:] = [function(text) for text in column.values.ravel().tolist()]
            return Column(found.reshape(column.values.shape), column.known)

        return step

    return build


def search(compiler: ValueCompiler, node: ops.RegexSearch, within: Any) -> ColumnStep:
    """Arrow uses RE2 as DuckDB does; Python's `re` starts faster for a few texts."""
    given, pattern = compiler.value(node.arg, within), node.pattern.value
    find = re.compile(re.sub(r"\$$", r"\\Z", pattern), re.ASCII).search  # Python's $ allows a line break

    def step(run: Evaluation) -> Column:
        column = given(run)
        if column.values.size >= FEW:
            found = compute.match_substring_regex(run.to_arrow(column.values), pattern)
            return Column(found.to_numpy(zero_copy_only=False), column.known)
        found = np.array([find(text) is not None for text in column.values.ravel().tolist()], bool)
        return Column(found.reshape(column.values.shape), column.known)

    return step


def concatenate(compiler: ValueCompiler, node: ops.StringConcat, within: Any) -> ColumnStep:
    steps = [compiler.value(arg, within) for arg in node.arg]

    def step(run: Evaluation) -> Column:
        given = [each(run) for each in steps]
        values = given[0].values
        for each in given[1:]:
            values = values + each.values
        return Column(values, columns.all_known(given))

    return step
