"""A data set of several files in one folder, joined to one table of transactions."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import NamedTuple

import ibis

from tiercast.contract import errors
from tiercast.features.reading import presets
from tiercast.features.reading.presets.preset import Folder
from tiercast.features.reading.sources import Sources


class JoinedFiles(NamedTuple):
    """The folder, and which of its files are joined how."""

    place: pathlib.Path
    folder: Folder

    @property
    def paths(self) -> tuple[str, ...]:
        """All files, that of the orders first."""
        names = (self.folder.orders, *(each.file for each in self.folder.joins))
        return tuple(str(self.place / name) for name in names)


def find(sources: Sources) -> JoinedFiles | None:
    """The files that one of the presets joins, where the transactions are its folder or its file of orders."""
    place = pathlib.Path(sources.transactions)
    for preset in sources.presets:
        if preset.folder is not None:
            if place.name == preset.folder.orders:
                return JoinedFiles(place.parent, preset.folder)
            if _is_folder(place) and (place / preset.folder.orders).is_file():
                return JoinedFiles(place, preset.folder)
    return None


def _is_folder(place: pathlib.Path) -> bool:
    """Whether there is such a folder; a name that cannot be looked up is none."""
    try:
        return place.is_dir()
    except (OSError, ValueError):
        return False


def refuse_unnamed(sources: Sources) -> None:
    """Raise `SourceUnreadable` for the folder of a data set that a preset joins, where no preset was given."""
    place = pathlib.Path(sources.transactions)
    if not _is_folder(place):
        return
    for preset in presets.load(presets.AUTO):
        if preset.folder is not None and (place / preset.folder.orders).is_file():
            what = f"the folder holds the files of {preset.name}, which have to be joined"
            raise errors.SourceUnreadable(what, first=str(place), hint=f"read it with --from {preset.name}")


def join(files: JoinedFiles, open_file: Callable[[str], ibis.Table]) -> ibis.Table:
    """The orders with what the other files have of them; an order without such a row stays, with blanks.

    Raises `SourceUnreadable` where a file or the column of a join is missing.
    """
    missing = [each.file for each in files.folder.joins if not (files.place / each.file).is_file()]
    if missing:
        raise errors.SourceUnreadable(
            "files of the data set are missing",
            count=len(missing),
            total=len(files.folder.joins) + 1,
            unit="files",
            first=str(files.place / missing[0]),
            hint="put all files of the download into one folder",
        )
    table = open_file(str(files.place / files.folder.orders))
    for each in files.folder.joins:
        other = open_file(str(files.place / each.file))
        if each.on not in other.columns or each.on not in table.columns:
            hint = "download the data set again; its files may have been changed"
            raise errors.SourceUnreadable(f"there is no column {each.on!r} to join by", first=each.file, hint=hint)
        new = [name for name in other.columns if name not in table.columns]
        table = table.left_join(other.select(each.on, *new), each.on).drop(f"{each.on}_right")
    return table
