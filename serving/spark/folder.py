"""A folder of scores, one sub-folder per day: there is an old day, or a new one, and never a half.

Workers write into a hidden neighbour of the day's folder. Of a piece that was computed twice, because a worker was
lost or slow, one file is taken and the others are left behind. The neighbour takes the day's name at the end.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import pathlib
import shutil
from collections.abc import Iterator, Mapping

from tiercast.contract import errors
from tiercast.features.reading import Sources
from tiercast.features.reading import sources as places

ENDING = ".parquet"


def day(out: pathlib.Path, as_of: dt.date) -> pathlib.Path:
    """Where the scores of a day go, as Spark and Hive name it."""
    return out / f"as_of={as_of.isoformat()}"


def check(out: pathlib.Path, as_of: dt.date, sources: Sources) -> None:
    """Refuse a target that cannot be written, or that is no folder of scores, before any work is done."""
    if "://" in str(out) or ":/" in str(out):
        hint = "mount the store as a folder, or write serving.spark.scoring.frame(...) with Spark: see docs/scale.md"
        raise _cannot("scores are written to a folder that all machines see", out, hint)
    if out.is_file() or out.suffix == ENDING:
        raise _cannot("Spark writes a folder, with a sub-folder per day", out, "pass a folder: --out scores")
    _refuse_input(out, sources)
    with _told(out):
        strange = _strangers(day(out, as_of))
        if strange:
            raise _cannot("there is something else than scores in the day's folder", strange[0], "choose another --out")
        fresh = _neighbour(out, as_of)
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        fresh.rmdir()


@contextlib.contextmanager
def writing(out: pathlib.Path, as_of: dt.date) -> Iterator[pathlib.Path]:
    """Yields the hidden folder for the workers; nothing of it stays when the block ends."""
    fresh = _neighbour(out, as_of)
    try:
        with _told(out):
            fresh.mkdir(parents=True, exist_ok=True)
            yield fresh
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def publish(out: pathlib.Path, as_of: dt.date, fresh: pathlib.Path, files: Mapping[str, tuple[str, int]]) -> None:
    """Give the day its files: name -> what a worker called it, and its size. Raises `CannotWrite` where one is lost."""
    lost = [name for name, (given, size) in files.items() if _size(fresh / given) != size]
    if lost:
        raise errors.CannotWrite(
            "the workers wrote files that are not to be seen from here",
            count=len(lost),
            total=len(files),
            unit="files",
            first=str(fresh / files[lost[0]][0]),
            hint="pass --out a folder that every machine of the cluster sees under the same path",
        )
    ready, old, target = fresh / "ready", fresh / "old", day(out, as_of)
    ready.mkdir()
    for name, (given, _) in files.items():
        (fresh / given).replace(ready / name)
    if target.exists():
        target.replace(old)
    try:
        ready.replace(target)
    except OSError:
        if old.exists():
            old.replace(target)
        raise


def _refuse_input(out: pathlib.Path, sources: Sources) -> None:
    for source in (sources.transactions, sources.customers, sources.interactions, sources.overrides):
        if source is not None and "://" not in source:
            read = {pathlib.Path(path).resolve() for path in places.find(source).paths}
            inside = [path for path in read if out.resolve() in path.parents]
            folder = pathlib.Path(source).resolve()
            if inside or (folder.is_dir() and folder in (out.resolve(), *out.resolve().parents)):
                raise _cannot("the target lies in the data that is scored", out, "pass another place with --out")


def _strangers(folder: pathlib.Path) -> list[pathlib.Path]:
    """What lies in a day's folder and is no file of ours."""
    inside = folder.iterdir() if folder.is_dir() else iter([folder] if folder.exists() else [])
    return [path for path in inside if not (path.name.startswith("part-") and path.suffix == ENDING)]


def _size(path: pathlib.Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _neighbour(out: pathlib.Path, as_of: dt.date) -> pathlib.Path:
    return out / f".{day(out, as_of).name}.part"


@contextlib.contextmanager
def _told(out: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = "check the permissions and the space left there; what was in this place before is unchanged"
        raise _cannot(f"the folder cannot be written: {(error.strerror or str(error)).lower()}", out, hint) from error


def _cannot(what: str, out: pathlib.Path, hint: str) -> errors.CannotWrite:
    return errors.CannotWrite(what, first=str(out), hint=hint)
