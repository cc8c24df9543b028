"""The places of the input tables, and the files behind them.

A source is a Parquet file, a glob, a folder of Parquet (Hive partitions too), CSV or JSON files (also .csv.gz). A sheet
of a workbook, a table of a database and a file in an archive are copied first (see `copies`).
"""

from __future__ import annotations

import glob
import pathlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from tiercast.contract import addresses, errors
from tiercast.features.reading import dialect, first_bytes
from tiercast.features.reading.dialect import Dialect
from tiercast.features.spec import FeatureSpec

if TYPE_CHECKING:
    from tiercast.features.reading.presets import Preset

Format = Literal["parquet", "text", "json"]
Duplicates = Literal["keep", "drop"]
PARQUET_MAGIC = b"PAR1"
TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
STORES = tuple(f"{scheme}://" for scheme in ("s3a", "s3", "gs", "abfss", "wasbs", "hdfs", "dbfs", "file"))
JSON_ENDINGS = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")
PACKED_ENDINGS = tuple(ending for ending in (*TEXT_ENDINGS, *JSON_ENDINGS) if ending.endswith(".gz"))
FOREIGN_ENDINGS = (".xlsx", ".xls", ".ods", ".feather", ".avro", ".orc", ".zip", ".db", ".sqlite")


class Sources(NamedTuple):
    """The places of the input tables, and the names of their columns there.

    `columns` maps a canonical column to its name in the file ({"customer_id": "CustomerID"}). A name that more than
    one table has can be given for one of them: {"customers.customer_id": "Client"}. With `duplicates="drop"`, one of
    transactions that are equal in every column is kept; by default all are, for a line of a receipt can repeat.
    `dialect` says how text is written where the files cannot. One of `presets` that knows the header reads the
    transactions, and keeps those in `currency`. With `counts_orders` no amount is read, and every order counts one.
    """

    transactions: str
    customers: str | None = None
    interactions: str | None = None
    overrides: str | None = None
    columns: Mapping[str, str] = {}
    duplicates: Duplicates = "keep"
    dialect: Dialect = dialect.AS_WRITTEN
    presets: tuple[Preset, ...] = ()
    currency: str | None = None
    counts_orders: bool = False

    def trained_on(self, spec: FeatureSpec) -> Sources:
        """The same, read as a bundle with these features was trained: without amounts where it counts orders."""
        return self._replace(counts_orders=True) if spec.counts_orders else self


class SourceFiles(NamedTuple):
    """The files of one source, all of one format; `source` is the text that the user gave."""

    source: str
    format: Format
    paths: tuple[str, ...]


def find(source: str, *, remote: bool = False) -> SourceFiles:
    """The files of `source` in name order, at least one. Raises `SourceUnreadable`.

    Parquet in a `remote` store is listed by the engine.
    """
    if remote and source.startswith(STORES):
        return SourceFiles(source, "parquet", (source,))
    if "://" in source:
        raise _foreign(source, "such addresses are not read")
    paths = _paths(source)
    formats = {_format(path) for path in paths}
    if len(formats) > 1:
        mixed = " and ".join(sorted(formats))
        raise _unreadable(
            source, f"files of several kinds are mixed: {mixed}", "name one: a glob like 'folder/*.parquet'"
        )
    return SourceFiles(source, formats.pop(), tuple(str(path) for path in paths))


def _paths(source: str) -> list[pathlib.Path]:
    try:
        return _looked_up(source)
    except OSError as error:  # a name that is too long, a folder that this user may not look into
        reason = (error.strerror or str(error)).lower()
        raise _unreadable(
            source, f"the place cannot be looked up: {reason}", "check the path and its rights"
        ) from error


def _looked_up(source: str) -> list[pathlib.Path]:
    place = pathlib.Path(source)
    if place.is_dir():
        return _in_folder(place)
    matches = glob.glob(source, recursive=True)  # noqa: PTH207  Path.glob takes no absolute pattern
    paths = [place] if place.exists() else [pathlib.Path(path) for path in sorted(matches)]
    files = [path for path in paths if not path.is_dir()]
    if not files:
        raise _unreadable(source, "there is no such file", "check the path; quote a glob: 'folder/*.parquet'")
    return files


def _in_folder(folder: pathlib.Path) -> list[pathlib.Path]:
    files = sorted(path for path in folder.rglob("*.parquet") if not _is_hidden(path.relative_to(folder)))
    if files:
        return files
    texts = [path for path in folder.iterdir() if path.name.lower().endswith(TEXT_ENDINGS)]
    hint = f"pass '{folder}/*{texts[0].suffix}'" if texts else "pass the folder that the Parquet files are in"
    raise _unreadable(str(folder), "the folder holds no Parquet file", hint)


def _is_hidden(path: pathlib.Path) -> bool:
    """Spark leaves files like `_temporary/...` and `.part.crc` beside its data; `_day=...` is a partition."""
    return any(part.startswith(".") or (part.startswith("_") and "=" not in part) for part in path.parts)


def _format(path: pathlib.Path) -> Format:
    start = _first_bytes(path)
    if not start:
        raise _unreadable(str(path), "the file is empty (0 bytes)", "write it again from its source")
    if start.startswith(PARQUET_MAGIC):
        return "parquet"
    _refuse_kind(path, start)
    name = path.name.lower()
    if name.endswith(FOREIGN_ENDINGS):
        raise _foreign(str(path), f"{path.suffix} files are not read")
    if name.endswith(".parquet"):
        raise _unreadable(
            str(path), "the name says Parquet, the content does not", "write it again, or rename it to .csv"
        )
    if name.endswith(JSON_ENDINGS):
        return "json"
    if not name.endswith(TEXT_ENDINGS):
        raise _foreign(str(path), "the name says neither Parquet nor CSV nor JSON")
    return "text"


def _refuse_kind(path: pathlib.Path, start: bytes) -> None:
    kind = first_bytes.kind(start)
    if kind is not None and not (kind is first_bytes.GZIP and path.name.lower().endswith(PACKED_ENDINGS)):
        raise _unreadable(str(path), f"the file is {kind.name}, by its first bytes", kind.hint)


def _first_bytes(path: pathlib.Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(first_bytes.LENGTH)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise _unreadable(
            str(path), f"the file cannot be opened: {reason}", "give this user the right to read it"
        ) from error


def _foreign(source: str, what: str) -> errors.SourceUnreadable:
    return _unreadable(addresses.redact(source), what, "export the table to Parquet or CSV and pass that file")


def _unreadable(first: str, what: str, hint: str) -> errors.SourceUnreadable:
    return errors.SourceUnreadable(what, first=first, hint=hint)
