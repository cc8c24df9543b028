"""Spark, on this machine or on many: the same expressions, for bases that one machine cannot hold.

It opens files by itself, also from remote stores (s3a://, hdfs://, abfss://, gs://), and keeps intermediate tables in
the memory and on the disks of its workers. What a lost worker held is computed again from the files.
"""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

import ibis
import pyarrow as pa
from ibis.backends.pyspark import Backend
from ibis.expr import types as ir
from py4j.protocol import Py4JError
from pyarrow import parquet
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, functions

from tiercast.features import buckets as hash_buckets
from tiercast.features.engines import spark_errors, spark_session, text_encoding

FROM_UTC = ibis.udf.scalar.builtin(
    lambda value, zone: None, name="from_utc_timestamp", signature=(("timestamp(6)", "string"), "timestamp(6)")
)


class Connection(Backend):  # type: ignore[misc]  # Ibis has no type hints
    """Ibis on Spark, with results that come as Arrow: Ibis 12 would carry them through pandas, nulls and all."""

    def to_pyarrow(
        self,
        expr: ibis.Expr,
        /,
        *,
        params: Mapping[ibis.Scalar, Any] | None = None,
        limit: int | str | None = None,
        **_: Any,
    ) -> Any:
        table = expr.as_table()
        self._run_pre_execute_hooks(table)
        found = self.raw_sql(self.compile(table, params=params, limit=limit)).toArrow()
        return expr.__pyarrow_result__(found.cast(table.schema().to_pyarrow()))


class SparkEngine:
    """One session in a Spark application. The application ends with the `with` block only if it began there.

    `master` and `memory` (of the driver) matter only when an application has to be started: see `spark_session.join`.
    """

    reads_remote = True
    folder: pathlib.Path | None = None  # a copy on the driver would be out of the workers' reach

    def __init__(
        self, *, master: str | None = None, memory: str | None = None, conf: dict[str, str] | None = None
    ) -> None:
        self._application = spark_session.join(master, memory, conf)
        self.session = self._application.session
        self.con = Connection()
        self.con.register_options()  # ibis.pyspark.connect would, but makes a connection of its own class
        self.con.do_connect(self.session)
        self._kept: dict[str, DataFrame] = {}
        self._buckets: dict[str, int] = {}
        self._is_open = True

    def __enter__(self) -> SparkEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget what was kept, and end the application if it is ours. Closing twice does nothing."""
        if not self._is_open:
            return
        self._is_open = False
        with contextlib.suppress(Py4JError, OSError):  # an application that is gone keeps nothing
            for frame in self._kept.values():
                frame.unpersist()
        self._application.close()

    def parquet(self, files: Sequence[str]) -> ibis.Table:
        """One row per row of the Parquet files. Values of Hive partitions stay text, so that "007" stays "007"."""
        reader = self.session.read
        base = _above_partitions(files)
        frame = (reader.option("basePath", base) if base else reader).parquet(*map(_escaped, files))
        return self._named(frame.withColumns(_from_nanoseconds(files[0], frame)), "file")

    def text(
        self, files: Sequence[str], names: Sequence[str], delimiter: str, *, skipped: int = 0, has_header: bool = True
    ) -> ibis.Table:
        """One row per line of the CSV files below their header, every column as text.

        Spark cannot skip lines above a header: `skipped` must be 0. Raises `SourceUnreadable`.
        """
        spark_errors.refuse_skipped(files, skipped)
        text_encoding.check(files)  # Spark would put a question mark for what is no UTF-8, and go on
        columns = ", ".join(f"`{name.replace('`', '``')}` STRING" for name in names)
        options = {"header": has_header, "sep": delimiter, "quote": '"', "escape": '"', "multiLine": True}
        frame = self.session.read.csv(
            list(map(_escaped, files)), schema=columns, mode="FAILFAST", enforceSchema=True, **options
        )
        return self._named(frame, "file")

    def json(self, files: Sequence[str]) -> ibis.Table:
        """Not read by many machines. Raises `SourceUnreadable`."""
        raise spark_errors.elsewhere("JSON is", files[0])

    def attached(self, file: str) -> AbstractContextManager[Mapping[str, ibis.Table]]:
        """Not read by many machines. Raises `SourceUnreadable`."""
        raise spark_errors.elsewhere("a DuckDB file is", file)

    def store(self, name: str, expr: ibis.Table, buckets: int = 1) -> ibis.Table:
        """Keep a table with the workers, and return it as read from there. `bucket(name, k)` gives the rows of a part.

        It is computed when it is first asked for. All rows of a customer lie with one worker, so that what is counted
        per customer later needs no other exchange between workers.
        """
        if name in self._kept:
            self._kept.pop(name).unpersist()
        frame = self._repartition(self.frame(expr), buckets).persist()
        self._kept[name], self._buckets[name] = frame, buckets
        return self.whole(name)

    def bucket(self, name: str, k: int) -> ibis.Table:
        """The rows of part `k` of a stored table."""
        n_parts = self._buckets[name]
        if not 0 <= k < n_parts:
            raise IndexError(f"{name} has {n_parts} parts, counted from 0: there is no part {k}")
        whole = self.whole(name)
        return whole if n_parts == 1 else whole.filter(hash_buckets.assign(whole["customer_id"], n_parts) == k)

    def whole(self, name: str) -> ibis.Table:
        """All rows of a stored table."""
        return self._named(self._kept[name], name)

    @property
    def parallelism(self) -> int:
        """How many tasks the application runs at once."""
        return int(self.session.sparkContext.defaultParallelism)

    def slices(self, name: str, rows: int) -> Iterator[pa.Table]:
        """The rows of a stored table, at most `rows` at a time. All of them come to the driver first."""
        for batch in self._kept[name].toArrow().to_batches(rows):
            yield pa.Table.from_batches([batch])

    def frame(self, expr: ibis.Table) -> DataFrame:
        """The expression as Spark's own data frame."""
        found: DataFrame = self.session.sql(self.con.compile(expr))
        return found

    def wall_clock(self, value: ir.Value, zone: str) -> ir.Value:
        """A time in UTC as the clocks of a zone show it, without a zone."""
        return FROM_UTC(value, zone)

    @contextlib.contextmanager
    def reading(self, source: str) -> Iterator[None]:
        """Raise `SourceUnreadable` or `CannotWrite` for Spark's errors about files inside the block."""
        try:
            yield
        except (PySparkException, Py4JError) as error:
            refusal = spark_errors.translate(error, source)
            if refusal is None:
                raise
            raise refusal from error

    def _repartition(self, frame: DataFrame, n_parts: int) -> DataFrame:
        if "customer_id" not in frame.columns:
            return frame
        if n_parts == 1:
            return frame.repartition("customer_id")
        return frame.repartition(n_parts, "customer_id")

    def _named(self, frame: DataFrame, name: str) -> ibis.Table:
        view = f"{name}_{ibis.util.guid()}"
        frame.createOrReplaceTempView(view)
        return self.con.table(view)


def _escaped(file: str) -> str:
    """The path with glob signs escaped; a remote address may be a glob."""
    if "://" in file:
        return file
    return "".join(f"\\{sign}" if sign in "{}[]*?\\" else sign for sign in str(pathlib.Path(file).absolute()))


def _above_partitions(files: Sequence[str]) -> str | None:
    """The folder above the first `column=value` folder of a path; None where there is none."""
    folders = pathlib.Path(files[0]).parts
    first = next((place for place, part in enumerate(folders) if "=" in part), None)
    is_local = "://" not in files[0]
    return str(pathlib.Path(*folders[:first]).absolute()) if first and is_local else None


def _from_nanoseconds(file: str, frame: DataFrame) -> dict[str, Any]:
    """Times with nanoseconds, which pandas writes and Spark 4 reads as whole numbers."""
    if "://" in file:
        return {}
    kinds = {field.name: field.type for field in parquet.read_schema(file)}
    unknown = [name for name, kind in kinds.items() if pa.types.is_timestamp(kind) and kind.unit == "ns"]
    types = dict(frame.dtypes)
    whole = [name for name in unknown if types.get(name) == "bigint"]
    return {name: functions.expr(f"timestamp_micros(`{name}` div 1000)") for name in whole}
