"""The data engine of a run: DuckDB on this machine, or Spark on any number of machines."""

from __future__ import annotations

from typing import Any, NamedTuple

from tiercast.contract.errors import BadInput

DUCKDB, SPARK = "duckdb", "spark"


class EngineChoice(NamedTuple):
    """An engine and its limits; `master` is for Spark only, `memory` is a size such as 2GB."""

    name: str = DUCKDB
    master: str | None = None
    memory: str | None = None

    def start(self) -> Any:
        """The started engine, to be closed by a `with` block. Raises `BadInput` where it cannot start."""
        if self.name == SPARK:
            return _import_spark().SparkEngine(master=self.master, memory=self.memory)
        from tiercast.features.engines import duckdb

        return duckdb.DuckDBEngine(memory=self.memory)


DEFAULT = EngineChoice()


def choose(name: str, master: str | None = None, memory: str | None = None) -> EngineChoice:
    """The engine of this name. Raises BadInput for an unknown name, and for a Spark master with another engine.

    >>> choose("duckdb", memory="1GB")
    EngineChoice(name='duckdb', master=None, memory='1GB')
    """
    if name not in (DUCKDB, SPARK):
        raise BadInput("--engine is not known", first=name, hint=f"one of: {DUCKDB}, {SPARK}")
    if master is not None and name != SPARK:
        raise BadInput("--master is a place for Spark", first=f"--engine {name}", hint="add --engine spark")
    return EngineChoice(name, master, memory)


def _import_spark() -> Any:
    try:
        from tiercast.features.engines import spark
    except ImportError as error:
        hint = "pip install 'tiercast[spark]', or leave out --engine spark"
        raise BadInput("Spark is not installed", first=str(error), hint=hint) from error
    return spark
