"""What is asked of texts: one by one where they are few, by Arrow where they are many."""

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
from tiercast.features.engines.arrays.steps import Build, Run, Step, Values

BLANKS = " \t\n\r\v\f"


def in_values(of: Values, node: ops.InValues, within: Any) -> Step:
    wanted = {option.value for option in node.options}
    return _of_texts(lambda text: text in wanted, bool)(of, node.value, within)


def strip(of: Values, node: ops.Strip, within: Any) -> Step:
    return _of_texts(lambda text: text.strip(BLANKS), object)(of, node.arg, within)


def length(of: Values, node: ops.StringLength, within: Any) -> Step:
    given, one_by_one = of.value(node.arg, within), _of_texts(len, np.int64)(of, node.arg, within)

    def step(run: Run) -> Column:
        column = given(run)
        if column.values.size < FEW:
            return one_by_one(run)
        return Column(compute.utf8_length(run.written(column.values)).to_numpy(), column.known)

    return step


def _of_texts(function: Callable[[str], Any], kind: type) -> Build:
    def build(of: Values, arg: ops.Value, within: Any) -> Step:
        given = of.value(arg, within)

        def step(run: Run) -> Column:
            column = given(run)
            found: NDArray[Any] = np.empty(column.values.size, kind)
            found[:] = [function(text) for text in column.values.ravel().tolist()]
            return Column(found.reshape(column.values.shape), column.known)

        return step

    return build


def search(of: Values, node: ops.RegexSearch, within: Any) -> Step:
    """Arrow's expressions are RE2's, as DuckDB's are; for a few texts, Python's are quicker to start."""
    given, pattern = of.value(node.arg, within), node.pattern.value
    find = re.compile(re.sub(r"\$$", r"\\Z", pattern), re.ASCII).search  # Python's $ lets a line break follow

    def step(run: Run) -> Column:
        column = given(run)
        if column.values.size >= FEW:
            found = compute.match_substring_regex(run.written(column.values), pattern)
            return Column(found.to_numpy(zero_copy_only=False), column.known)
        found = np.array([find(text) is not None for text in column.values.ravel().tolist()], bool)
        return Column(found.reshape(column.values.shape), column.known)

    return step


def concatenate(of: Values, node: ops.StringConcat, within: Any) -> Step:
    steps = [of.value(arg, within) for arg in node.arg]

    def step(run: Run) -> Column:
        given = [each(run) for each in steps]
        values = given[0].values
        for each in given[1:]:
            values = values + each.values
        return Column(values, columns.are_known(given))

    return step
