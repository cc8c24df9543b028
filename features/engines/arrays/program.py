"""Expressions compiled to steps, and what a run of them gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import ibis
import numpy as np

from tiercast.features.engines.arrays import column as columns
from tiercast.features.engines.arrays.column import Column, Given
from tiercast.features.engines.arrays.relations import Compiler
from tiercast.features.engines.arrays.steps import Relation, Run


class Program:
    """Tables by name, compiled together, so that what two of them share is computed once per run.

    >>> orders = ibis.table({"customer_id": "string", "n": "int64"}, name="orders")
    >>> per_customer = orders.group_by("customer_id").aggregate(most=orders.n.max())
    >>> given = Given(3, {"customer_id": columns.of_texts(["a", "b", "a"]), "n": Column(np.array([3, 1, 2]))})
    >>> list(Program({"most": per_customer}).run({"orders": given}).rows("most"))
    [{'customer_id': 'a', 'most': 3}, {'customer_id': 'b', 'most': 1}]

    An operation that this engine does not know raises `UnknownOperation` here, not when it runs.
    """

    def __init__(self, tables: Mapping[str, ibis.Table]) -> None:
        compiler = Compiler()
        self._relations = {name: compiler.relation(table.op()) for name, table in tables.items()}

    def run(self, tables: Mapping[str, Given]) -> Answers:
        """Answers from these tables, each computed when it is asked for. May be called by several threads at once."""
        return Answers(self._relations, Run(tables))


class Answers:
    """The tables of a program for one set of inputs. Not to be used by two threads at a time."""

    def __init__(self, relations: Mapping[str, Relation], run: Run) -> None:
        self._relations, self._run = relations, run

    def n_rows(self, table: str) -> int:
        with np.errstate(all="ignore"):
            return self._relations[table].size(self._run)

    def column(self, table: str, name: str) -> Column:
        return self.columns(table, name)[name]

    def columns(self, table: str, *names: str) -> dict[str, Column]:
        """These columns, or all."""
        n, steps = self.n_rows(table), self._relations[table].columns
        with np.errstate(all="ignore"):  # what is null was computed all the same, from nothing
            return {name: columns.full(steps[name](self._run), n) for name in names or steps}

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """The few rows of a table."""
        n, found = self.n_rows(table), self.columns(table)
        listed = [columns.to_list(column, n) for column in found.values()]
        return (dict(zip(found, row, strict=True)) for row in zip(*listed, strict=True))
