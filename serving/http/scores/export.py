"""All customers of a search as a CSV or Parquet file, written while it is sent: memory does not grow with the base."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping

import pyarrow as pa
from pyarrow import parquet

from tiercast.contract import errors
from tiercast.serving.http import request_context
from tiercast.serving.http.scores import serialize, spreadsheet, store_errors
from tiercast.serving.http.scores.requests import SearchRequest
from tiercast.serving.http.scores.store_pool import StorePool
from tiercast.serving.http.scores.streaming import ExportResponse
from tiercast.serving.store import search
from tiercast.serving.store.generations import Generation
from tiercast.serving.store.search import Export
from tiercast.tiers.languages import Language

ROW_GROUP = 1 << 16
CSV, PARQUET = "text/csv; charset=utf-8", "application/vnd.apache.parquet"


def response(pool: StorePool, request: SearchRequest) -> ExportResponse:
    """The file, once its first bytes are written. Raises `HttpError`, also while too many other exports run."""
    write, media = (_csv, CSV) if request.format == "csv" else (_parquet, PARQUET)
    try:
        with contextlib.ExitStack() as held:
            export = held.enter_context(_open(pool, request))
            pieces = write(export, request.lang)
            first = next(pieces)
            return ExportResponse(first, pieces, held.pop_all(), media, _headers(export.generation, request.format))
    except errors.TiercastError as error:
        raise store_errors.from_page_error(error, has_cursor=False) from None


@contextlib.contextmanager
def _open(pool: StorePool, request: SearchRequest) -> Iterator[Export]:
    """One of the exports that may run at once, and its rows; both are given back at the end of the block."""
    engine = pool.engine
    if not pool.exports.acquire(blocking=False):
        raise store_errors.busy()
    try:
        with search.stream(engine, request.filters) as export:
            yield export
    finally:
        pool.exports.release()


def _csv(export: Export, lang: Language) -> Iterator[bytes]:
    yield spreadsheet.header(export.schema, lang)
    for batch in _counted(export.batches):
        yield spreadsheet.rows(batch, lang)


def _parquet(export: Export, _: Language) -> Iterator[bytes]:
    """As `tiercast score` writes it: the same schema, the same compression."""
    buffer = WriteBuffer()
    with parquet.ParquetWriter(buffer, export.schema, compression="zstd") as file:
        for group in _grouped(_counted(export.batches)):
            file.write_table(group)
            yield buffer.take()
    yield buffer.take()


def _counted(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches; counts the customers that were sent, for the audit log."""
    sent = 0
    for batch in batches:
        yield batch
        sent += batch.num_rows
        request_context.count_customers(sent)


def _grouped(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    group: list[pa.RecordBatch] = []
    for batch in batches:
        group.append(batch)
        if sum(each.num_rows for each in group) >= ROW_GROUP:
            yield pa.Table.from_batches(group)
            group = []
    if group:
        yield pa.Table.from_batches(group)


class WriteBuffer(io.RawIOBase):
    """A file in memory: `take` removes and returns what was written. The position still counts all bytes."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload]  # whatever has a buffer
        self._parts.append(part)
        self._written += len(part)
        return len(part)

    def tell(self) -> int:
        return self._written

    def take(self) -> bytes:
        written = b"".join(self._parts)
        self._parts.clear()
        return written


def _headers(generation: Generation, kind: str) -> Mapping[str, str]:
    """The generation of the file, which a JSON response has in its body."""
    name = f"scores-{generation.as_of}-generation-{generation.id}.{kind}"
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Tiercast-Generation": str(generation.id),
        "X-Tiercast-As-Of": generation.as_of.isoformat(),
        "X-Tiercast-Age-Seconds": str(serialize.stamp(generation)["age_seconds"]),
    }
