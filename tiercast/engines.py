"""Which engine a command runs on: DuckDB on this machine, or Spark on any number of them."""

from __future__ import annotations

from typing import Any, NamedTuple

from tiercast.contract.errors import BadInput

DUCKDB, SPARK = "duckdb", "spark"


class Choice(NamedTuple):
    """What the command line was told; `master` is Spark's alone, `memory` a limit such as 2GB."""

    name: str = DUCKDB
    master: str | None = None
    memory: str | None = None

    def start(self) -> Any:
        """The engine, to be closed by a `with` block. Raises `BadInput` where it cannot start."""
        if self.name == SPARK:
            return _spark().Engine(master=self.master, memory=self.memory)
        from tiercast.features.engines import duckdb

        return duckdb.Engine(memory=self.memory)


DEFAULT = Choice()


def choose(name: str, master: str | None = None, memory: str | None = None) -> Choice:
    """Refuse an engine that there is not, and a Spark master for another engine.

    >>> choose("duckdb", memory="1GB")
    Choice(name='duckdb', master=None, memory='1GB')
    """
    if name not in (DUCKDB, SPARK):
        raise BadInput("--engine is not known", first=name, hint=f"one of: {DUCKDB}, {SPARK}")
    if master is not None and name != SPARK:
        raise BadInput("--master is a place for Spark", first=f"--engine {name}", hint="add --engine spark")
    return Choice(name, master, memory)


def _spark() -> Any:
    try:
        from tiercast.features.engines import spark
    except ImportError as error:
        hint = "pip install 'tiercast[spark]', or leave out --engine spark"
        raise BadInput("Spark is not installed", first=str(error), hint=hint) from error
    return spark
