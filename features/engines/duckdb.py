"""DuckDB on this machine: open files, run expressions, keep intermediate tables in a temporary folder.

>>> import ibis
>>> with DuckDBEngine(threads=1) as engine:
...     table = engine.store("numbers", ibis.memtable({"customer_id": ["a", "b", "b"]}))
...     int(engine.con.execute(table.count()))
3
"""

from __future__ import annotations

import contextlib
import glob
import pathlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType

import duckdb
import ibis
import pyarrow as pa
from ibis.backends.duckdb import Backend
from ibis.expr import types as ir
from pyarrow import parquet
from sqlglot import exp

from tiercast.contract import errors
from tiercast.features import buckets as hash_buckets
from tiercast.features.engines import duckdb_errors

TIMEZONE = ibis.udf.scalar.builtin(
    lambda zone, value: None, name="timezone", signature=(("string", "timestamp('UTC')"), "timestamp(6)")
)
ROWS_WAITING = 1 << 21
FEWEST_ROWS_WAITING = 2048  # one vector of DuckDB


class DuckDBEngine:
    """One in-memory DuckDB with a temporary folder, both gone after the `with` block.

    `memory` is DuckDB's limit ("2GB"; by default four fifths of the machine): beyond it, it spills into the folder.
    `temporary` is where that folder is made, by default the system's own place for temporary files.
    """

    reads_remote = False

    def __init__(
        self, *, memory: str | None = None, threads: int | None = None, temporary: pathlib.Path | None = None
    ) -> None:
        self.folder = _temporary_folder(temporary)
        try:
            self.con: Backend = ibis.duckdb.connect(":memory:", **_settings(self.folder, memory, threads))
        except duckdb.Error as error:
            shutil.rmtree(self.folder)
            hint = "write the memory limit like 2GB, and at least one thread"
            raise errors.BadInput(
                "the data engine cannot start", first=f"memory {memory}, threads {threads}: {error}", hint=hint
            ) from error
        self.con.raw_sql("SET enable_progress_bar = false")
        self._buckets: dict[str, int] = {}

    def __enter__(self) -> DuckDBEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection and delete the temporary folder. Closing twice does nothing."""
        self.con.disconnect()
        shutil.rmtree(self.folder, ignore_errors=True)

    def parquet(self, files: Sequence[str]) -> ibis.Table:
        """One row per row of the Parquet files. Values of Hive partitions stay text, so that "007" stays "007"."""
        table = self.con.read_parquet([glob.escape(file) for file in files], hive_types_autocast=False)
        # Ibis 12 does not know DuckDB 2's timestamps with nanoseconds and a zone, which pandas writes.
        unknown = [name for name, kind in table.schema().items() if "TIMESTAMPTZ_NS" in str(kind)]
        return table.mutate({name: table[name].cast("timestamp('UTC')") for name in unknown}) if unknown else table

    def text(
        self, files: Sequence[str], names: Sequence[str], delimiter: str, *, skipped: int = 0, has_header: bool = True
    ) -> ibis.Table:
        """One row per line of the CSV files below their header, every column as text.

        The header is below `skipped` other lines.
        """
        return self.con.read_csv(
            [glob.escape(file) for file in files],
            columns=dict.fromkeys(names, "VARCHAR"),
            auto_detect=False,
            header=has_header,
            delim=delimiter,
            quote='"',
            escape='"',
            skip=skipped,
        )

    def json(self, files: Sequence[str]) -> ibis.Table:
        """One row per object of the JSON files, every field as text, but nested ones as they are.

        All objects are looked at for the names of their fields, so that a field that comes late is one too.
        """
        paths = [glob.escape(file) for file in files]
        found = self.con.read_json(paths, sample_size=-1, map_inference_threshold=-1, field_appearance_threshold=0)
        plain = {name: "VARCHAR" for name, kind in found.schema().items() if not kind.is_nested()}
        texts = self.con.read_json(paths, columns=plain or dict.fromkeys(found.columns, "VARCHAR"))
        nested = {name: ibis.null(kind) for name, kind in found.schema().items() if kind.is_nested()}
        return texts.mutate(nested).select(*found.columns) if nested else texts

    @contextlib.contextmanager
    def attached(self, file: str) -> Iterator[Mapping[str, ibis.Table]]:
        """The tables and views of a DuckDB file by name, with their schema where it is not `main`, while it is open."""
        name = ibis.util.gen_name("attached")
        statement = exp.Attach(
            this=exp.alias_(exp.Literal.string(file), name), expressions=[exp.AttachOption(this=exp.var("READ_ONLY"))]
        )
        self.con.raw_sql(statement.sql("duckdb"))
        try:
            yield self._tables(name)
        finally:
            self.con.detach(name)

    def _tables(self, catalog: str) -> dict[str, ibis.Table]:
        """By DuckDB's own lists: Ibis 12 cannot list tables on DuckDB 2."""
        columns = ("table_schema", "table_name")
        listed = exp.select(*columns).from_("information_schema.tables").order_by(*columns)
        query = listed.where(exp.column("table_catalog").eq(exp.Literal.string(catalog)))
        found = self.con.raw_sql(query.sql("duckdb")).fetchall()
        return {
            (table if schema == "main" else f"{schema}.{table}"): self.con.table(table, database=(catalog, schema))
            for schema, table in found
        }

    def store(self, name: str, expr: ibis.Table, buckets: int = 1) -> ibis.Table:
        """Write a table as Parquet into the temporary folder and return it as read from there.

        With `buckets` > 1, all rows of a customer land in one of that many parts (see `features.buckets`), so that
        work can go part by part in bounded memory: `bucket(name, k)` for k in range(buckets).
        """
        target = self.folder / name
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        try:
            _write(self.con, expr, target, buckets)
        except duckdb.Error as error:
            raise duckdb_errors.translate_no_space(error, str(self.folder)) or error from error
        self._buckets[name] = buckets
        return self._stored(name, "*/*.parquet")

    def bucket(self, name: str, k: int) -> ibis.Table:
        """The rows of part `k` of a stored table."""
        if not 0 <= k < self._buckets[name]:
            raise IndexError(f"{name} has {self._buckets[name]} parts, counted from 0: there is no part {k}")
        return self._stored(name, f"bucket={k}/*.parquet")

    def slices(self, name: str, rows: int) -> Iterator[pa.Table]:
        """The rows of a table stored in one part, in the order they were stored in, at most `rows` at a time.

        Ibis 12 cannot stream from DuckDB 2, whose result has no `fetch_record_batch`.
        """
        for file in sorted((self.folder / name).glob("*/*.parquet")):
            for batch in parquet.ParquetFile(file).iter_batches(rows):
                yield pa.Table.from_batches([batch])

    def _stored(self, name: str, pattern: str) -> ibis.Table:
        return self.con.read_parquet(str(self.folder / name / pattern), hive_partitioning=False)

    def wall_clock(self, value: ir.Value, zone: str) -> ir.Value:
        """A time in UTC as the clocks of a zone show it, without a zone."""
        return TIMEZONE(zone, value.cast("timestamp('UTC')"))

    @contextlib.contextmanager
    def reading(self, source: str) -> Iterator[None]:
        """Raise `SourceUnreadable` or `CannotWrite` for DuckDB's errors about files inside the block."""
        try:
            yield
        except duckdb.Error as error:
            if duckdb_errors.is_of_query(error):
                raise
            raise duckdb_errors.translate(error, source) from error


def _temporary_folder(where: pathlib.Path | None) -> pathlib.Path:
    try:
        return pathlib.Path(tempfile.mkdtemp(prefix="tiercast-", dir=where))
    except OSError as error:
        raise errors.CannotWrite(
            f"no temporary folder can be made: {error.strerror}",
            first=str(where or tempfile.gettempdir()),
            hint="free some space there, or set TMPDIR to a folder that can be written to",
        ) from error


def _settings(folder: pathlib.Path, memory: str | None, threads: int | None) -> dict[str, object]:
    chosen: dict[str, object] = {
        "temp_directory": str(folder / "spilled"),
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
    }
    limits = {"memory_limit": memory, "threads": threads}
    return chosen | {name: value for name, value in limits.items() if value is not None}


def _write(con: Backend, expr: ibis.Table, target: pathlib.Path, buckets: int) -> None:
    folders = [target / f"bucket={k}" for k in range(buckets)]
    if buckets > 1:
        # DuckDB 2 keeps this many rows of every part in memory before it writes: with its own number, 524,288, a
        # base of any size would wait there whole.
        con.raw_sql(f"SET partitioned_write_flush_threshold = {max(ROWS_WAITING // buckets, FEWEST_ROWS_WAITING)}")
        con.to_parquet(
            expr.mutate(bucket=hash_buckets.assign(expr["customer_id"], buckets)), target, partition_by="bucket"
        )
    else:
        folders[0].mkdir()
        con.to_parquet(expr, folders[0] / "all.parquet")
    for folder in folders:
        if not folder.exists():
            folder.mkdir()
            con.to_parquet(expr.limit(0), folder / "none.parquet")
