"""One file out of a zip archive, unpacked into the engine's folder.

`orders.zip` holds one file, or `orders.zip#march.csv` names one. What is unpacked is counted, not what the archive
claims: an archive may grow to a hundred times its size, or to 1 GiB, whichever is more.
"""

from __future__ import annotations

import pathlib
import zipfile
import zlib
from collections.abc import Sequence
from typing import IO

from tiercast.contract import errors
from tiercast.features.reading.copies import typed_rows
from tiercast.features.reading.copies.named_tables import NamedTable

MOST_GROWTH = 100
ALWAYS_ALLOWED = 1 << 30
CHUNK = 1 << 20
WORKBOOK_PARTS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")
SHOWN = 8
REWRITE = "write the archive again; it may have been cut off while it was copied"


def is_workbook(path: str) -> bool:
    """Whether the archive is a workbook, by the parts that those have. Raises `SourceUnreadable` for a bomb."""
    with _opened(path) as archive:
        if not any(part in archive.namelist() for part in WORKBOOK_PARTS):
            return False
        _refuse_bomb(sum(info.file_size for info in archive.infolist()), path)
        return True


def unpack(named: NamedTable, folder: pathlib.Path) -> str:
    """Unpack the one file, or the named one, into `folder`; its path. Raises `SourceUnreadable` and `CannotWrite`."""
    with _opened(named.place) as archive:
        member = _member(named, [info for info in archive.infolist() if _is_data(info.filename)])
        target = folder / pathlib.PurePosixPath(member.filename).name
        try:
            with archive.open(member) as source:
                _copy(source, target, named.place)
        except RuntimeError as error:  # zipfile's own for a password
            what = "the file in the archive is locked with a password"
            raise _unreadable(what, str(named), "unpack it with its password and pass the file") from error
    return str(target)


def _opened(path: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise _unreadable(f"the zip archive or Excel workbook cannot be unpacked: {error}", path, REWRITE) from error


def _is_data(name: str) -> bool:
    """Folders, hidden files and what macOS adds are no data."""
    parts = pathlib.PurePosixPath(name).parts
    return not name.endswith("/") and not any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _member(named: NamedTable, members: Sequence[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    names = [member.filename for member in members]
    if named.table is None and len(members) == 1:
        return members[0]
    if not members:
        raise _unreadable("the archive holds no file", named.place, "pass an archive with one table")
    if named.table is None:
        what = f"the archive holds {len(members)} files, and none is named"
    elif named.table in names:
        return members[names.index(named.table)]
    else:
        what = f"the archive has no file {named.table!r}"
    listed = ", ".join(names[:SHOWN])
    raise _unreadable(
        what,
        f"{named.place}; its files: {listed}",
        f"name the file: '{named.place}#{names[0]}'; parts of one table: unpack them and pass 'FOLDER/*.csv'",
    )


def _copy(source: IO[bytes], target: pathlib.Path, path: str) -> None:
    written = 0
    try:
        with target.open("wb") as file:
            while chunk := source.read(CHUNK):
                written += len(chunk)
                _refuse_bomb(written, path)
                file.write(chunk)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise _unreadable(f"the zip archive or Excel workbook cannot be unpacked: {error}", path, REWRITE) from error
    except OSError as error:
        what = "the unpacked file cannot be written"
        raise errors.CannotWrite(what, first=str(target.parent), hint=typed_rows.NO_SPACE) from error


def _refuse_bomb(size: int, path: str) -> None:
    allowed = max(ALWAYS_ALLOWED, MOST_GROWTH * pathlib.Path(path).stat().st_size)
    if size > allowed:
        what = f"the archive unpacks to more than {allowed:,} bytes, {MOST_GROWTH} times its size and 1 GiB"
        raise _unreadable(what, path, "if that is right, unpack it yourself and pass the file")


def _unreadable(what: str, first: str, hint: str) -> errors.SourceUnreadable:
    return errors.SourceUnreadable(what, first=first, hint=hint)
