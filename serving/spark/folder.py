"""A folder of scores with a sub-folder per day: readers see the old day or the new one, never a half.

Workers write into a hidden neighbour of the day's folder. A lost or slow worker may cause a part to be computed twice:
one file is chosen, and the others are deleted. Then the chosen files replace the day's folder. What workers write has
no ending that a glob of Parquet files would match.

A day's folder is `day=2024-07-31`. It is not named after the column `as_of`: the files hold that column, and a reader
that finds a column in the files and, with another type, in the path reads neither.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import pathlib
import shutil
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tiercast.contract import errors, files
from tiercast.features.reading import Sources
from tiercast.serving.batch import export, output

ENDING = ".parquet"
EARLIER = "as_of="


class PartFile(NamedTuple):
    """The file that a worker wrote: its name in the workers' folder, and its size in bytes."""

    name: str
    size: int


def day(out: pathlib.Path, as_of: dt.date) -> pathlib.Path:
    """The folder of a day's scores, named as Spark and Hive name a partition."""
    return out / f"day={as_of.isoformat()}"


def check(out: pathlib.Path, as_of: dt.date, sources: Sources) -> None:
    """Refuse a target that cannot be written, or holds something else, before any work is done."""
    if "://" in str(out) or ":/" in str(out):
        hint = "mount the store as a folder, or write serving.spark.scoring.frame(...) with Spark: see docs/scale.md"
        raise _cannot("scores are written to a folder that all machines see", out, hint)
    if out.is_file() or export.ending(out):
        raise _cannot("Spark writes a folder, with a sub-folder per day", out, "pass a folder: --out scores")
    _refuse_input(out, sources)
    with files.cannot_write(out, subject="the folder"):
        other = _other_content(day(out, as_of))
        if other:
            raise _cannot("there is something else than scores in the day's folder", other[0], "choose another --out")
        _refuse_earlier_names(out)
        shutil.rmtree(_neighbour(out, as_of), ignore_errors=True)
    files.require_writable(day(out, as_of), subject="the folder")


@contextlib.contextmanager
def worker_folder(out: pathlib.Path, as_of: dt.date) -> Iterator[pathlib.Path]:
    """Yield the hidden folder that workers write to; it is deleted when the block ends."""
    folder = _neighbour(out, as_of)
    try:
        with files.cannot_write(out, subject="the folder"):
            folder.mkdir(parents=True, exist_ok=True)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(out: pathlib.Path, as_of: dt.date, written: pathlib.Path, parts: Mapping[str, PartFile]) -> None:
    """Replace the day's folder by the files `parts`: final name -> file in the folder `written`.

    Raises `CannotWrite` where a file is missing.
    """
    missing = [part for part in parts.values() if _size(written / part.name) != part.size]
    if missing:
        raise errors.CannotWrite(
            "the workers wrote files that are not to be seen from here",
            count=len(missing),
            total=len(parts),
            unit="files",
            first=str(written / missing[0].name),
            hint="pass --out a folder that every machine of the cluster sees under the same path",
        )
    with files.replace_folder(day(out, as_of)) as folder:
        for name, part in parts.items():
            (written / part.name).replace(folder / name)


def _refuse_input(out: pathlib.Path, sources: Sources) -> None:
    for place, inputs in output.local_inputs(sources):
        is_around = any(out.resolve() in path.parents for path in inputs)
        if is_around or (place.is_dir() and place in (out.resolve(), *out.resolve().parents)):
            raise _cannot("the target lies in the data that is scored", out, "pass another place with --out")


def _refuse_earlier_names(out: pathlib.Path) -> None:
    """Days of Tiercast 0.1, named after `as_of`: no reader takes a folder with days of both names."""
    earlier = sorted(out.glob(f"{EARLIER}*")) if out.is_dir() else []
    if earlier:
        raise errors.CannotWrite(
            "days are written as day=..., and the folder has days of the earlier name as_of=...",
            count=len(earlier),
            total=len(earlier),
            unit="days",
            first=str(earlier[0]),
            hint=f"rename each: mv {earlier[0]} {out / earlier[0].name.replace(EARLIER, 'day=')}",
        )


def _other_content(folder: pathlib.Path) -> list[pathlib.Path]:
    """Everything in a day's folder that is no file of ours."""
    inside = folder.iterdir() if folder.is_dir() else iter([folder] if folder.exists() else [])
    return [path for path in inside if not (path.name.startswith("part-") and path.suffix == ENDING)]


def _size(path: pathlib.Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _neighbour(out: pathlib.Path, as_of: dt.date) -> pathlib.Path:
    return out / f".{day(out, as_of).name}.workers"


def _cannot(what: str, out: pathlib.Path, hint: str) -> errors.CannotWrite:
    return errors.CannotWrite(what, first=str(out), hint=hint)
