"""Name the kind of a file by its first bytes, whatever its ending says."""

from __future__ import annotations

from typing import NamedTuple

LENGTH = 16
EXPORT = "export the table to Parquet or CSV and pass that file"


class Kind(NamedTuple):
    """A kind of file that is not read as it is, and the way on."""

    name: str
    hint: str


GZIP = Kind("gzip", "rename it so that it ends in .csv.gz")
ONE = "pass one such file at a time"
ZIP = Kind("a zip archive or an Excel workbook (.xlsx)", ONE)
XLS = Kind("an Excel workbook (.xls)", ONE)
SQLITE = Kind("an SQLite database", ONE)
DUCKDB = Kind("a DuckDB database", ONE)
WEB_PAGE = Kind("a web page", "download the table itself; the page may be a login or an error")

SIGNATURES = (
    (b"\x1f\x8b", GZIP),
    (b"PK\x03\x04", ZIP),
    (b"\xd0\xcf\x11\xe0", XLS),
    (b"SQLite format 3\x00", SQLITE),
    (b"%PDF", Kind("a PDF document", EXPORT)),
    (b"ORC", Kind("ORC", EXPORT)),
    (b"ARROW1", Kind("an Arrow file", EXPORT)),
    (b"Obj\x01", Kind("Avro", EXPORT)),
    (b"\x28\xb5\x2f\xfd", Kind("compressed with zstd", "unpack it: zstd -d FILE")),
    (b"BZh", Kind("compressed with bzip2", "unpack it: bunzip2 FILE")),
    (b"\xfd7zXZ", Kind("compressed with xz", "unpack it: unxz FILE")),
)
DUCKDB_MARK = b"DUCK"  # after eight bytes of checksum


def kind(start: bytes) -> Kind | None:
    """The kind that the first `LENGTH` bytes show, or None for text and for what is not known.

    >>> kind(b"PK\\x03\\x04....").name
    'a zip archive or an Excel workbook (.xlsx)'
    >>> kind(b"customer_id,order") is None
    True
    """
    if start[8:12] == DUCKDB_MARK and b"\x00" in start:
        return DUCKDB
    if start.lstrip().lower().startswith((b"<!doctype", b"<html")):
        return WEB_PAGE
    return next((kind for signature, kind in SIGNATURES if start.startswith(signature) and _is_sure(start, kind)), None)


def _is_sure(start: bytes, kind: Kind) -> bool:
    """Short signatures of letters can also begin a header: "ORCID,date,amount"."""
    return kind.name not in ("ORC",) or not start.isascii() or b"\x00" in start
