"""Compiled expressions and their results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import ibis
import numpy as np

from tiercast.features.engines.arrays import column as columns
from tiercast.features.engines.arrays.column import Column, InputTable
from tiercast.features.engines.arrays.relations import Compiler
from tiercast.features.engines.arrays.steps import Evaluation, Relation


class Program:
    """Tables by name, compiled together: a shared expression is computed once per evaluation.

    >>> orders = ibis.table({"customer_id": "string", "n": "int64"}, name="orders")
    >>> per_customer = orders.group_by("customer_id").aggregate(most=orders.n.max())
    >>> given = InputTable(3, {"customer_id": columns.from_texts(["a", "b", "a"]), "n": Column(np.array([3, 1, 2]))})
    >>> list(Program({"most": per_customer}).run({"orders": given}).rows("most"))
    [{'customer_id': 'a', 'most': 3}, {'customer_id': 'b', 'most': 1}]

    An operation that this engine lacks raises `UnsupportedOperation` here, not when it runs.
    """

    def __init__(self, tables: Mapping[str, ibis.Table]) -> None:
        compiler = Compiler()
        self._relations = {name: compiler.relation(table.op()) for name, table in tables.items()}

    def run(self, tables: Mapping[str, InputTable]) -> Results:
        """The results for these input tables, computed lazily. Several threads may call this at once."""
        return Results(self._relations, Evaluation(tables))


class Results:
    """The tables of a program for one set of inputs. One thread at a time may use it."""

    def __init__(self, relations: Mapping[str, Relation], run: Evaluation) -> None:
        self._relations, self._run = relations, run

    def n_rows(self, table: str) -> int:
        with np.errstate(all="ignore"):
            return self._relations[table].size(self._run)

    def column(self, table: str, name: str) -> Column:
        return self.columns(table, name)[name]

    def columns(self, table: str, *names: str) -> dict[str, Column]:
        """The named columns; all columns without names."""
        n, steps = self.n_rows(table), self._relations[table].columns
        with np.errstate(all="ignore"):  # values behind nulls are computed too, and have no meaning
            return {name: columns.full(steps[name](self._run), n) for name in names or steps}

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """The rows of a small table."""
        n, found = self.n_rows(table), self.columns(table)
        listed = [columns.to_list(column, n) for column in found.values()]
        return (dict(zip(found, row, strict=True)) for row in zip(*listed, strict=True))
