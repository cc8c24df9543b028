"""Score files as input: open the output of an earlier job and check it."""

from __future__ import annotations

import datetime as dt
import pathlib
from typing import Any, NamedTuple, NoReturn

import ibis
import pyarrow as pa
from pyarrow import parquet

from tiercast.contract import errors, scores
from tiercast.features.engines import Engine
from tiercast.features.reading import duplicate_ids, sources

HINT = "pass a Parquet file that `tiercast score --out` wrote"


class ScoreFile(NamedTuple):
    """One score file: `table` has the contract's columns, one row per customer; horizons in days."""

    path: str
    as_of: dt.date
    churn_days: int
    value_days: int
    currency: str
    model: str
    table: ibis.Table

    def ends(self) -> tuple[dt.date, dt.date]:
        """The first day after the churn window and the first after the value window."""
        return self.as_of + dt.timedelta(self.churn_days), self.as_of + dt.timedelta(self.value_days)


def find(place: str) -> list[str]:
    """The score files at `place`: a single file, or all of a folder; other files in the folder are ignored."""
    folder = pathlib.Path(place)
    if not folder.is_dir() or (folder / "manifest.json").is_file():
        return [place]
    found = [path for path in sources.find(place).paths if _metadata(path).get("grain") == scores.GRAIN]
    if not found:
        _refuse("there are no scores in this folder", place, HINT)
    return found


def open_scores(engine: Engine, path: str, needed: tuple[str, ...], *, check_duplicates: bool = True) -> ScoreFile:
    """Open the scores of one day with the columns `needed`: a file, or the folder of a day that Spark wrote.

    Raises `BadInput` and its kinds, also where a customer has two rows; with `check_duplicates=False`, the caller
    checks that.
    """
    files, notes = _notes(path, needed)
    with engine.reading(path):
        table = engine.parquet(files).select("customer_id", *needed)
        if check_duplicates:
            _refuse_duplicates(engine, table, path)
    try:
        return ScoreFile(
            path=path,
            as_of=dt.date.fromisoformat(notes["as_of"]),
            churn_days=int(notes["churn_days"]),
            value_days=int(notes["value_days"]),
            currency=str(notes["currency"]),
            model=str(notes.get("model", "")),
            table=table,
        )
    except (KeyError, TypeError, ValueError):
        _refuse("the scores do not say of which day and windows they are", path, HINT)


def _notes(path: str, needed: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The paths of the files, and their metadata."""
    if (pathlib.Path(path) / "manifest.json").is_file():
        _refuse(
            "this is a bundle, not scores", path, "score with it first: tiercast score DATA --bundle DIR --out FILE"
        )
    files = sources.find(path)
    if files.format != "parquet":
        _refuse("scores are Parquet files", path, HINT)
    schema = _schema(files.paths[0])
    notes = _metadata(files.paths[0])
    other = next((file for file in files.paths[1:] if _metadata(file) != notes), None)
    if other is not None:
        _refuse("these are the scores of more than one day or model", other, "pass one file, or the folder of one day")
    if notes.get("grain") != scores.GRAIN:
        _refuse("the file says nothing of being scores", path, HINT)
    if int(notes.get("format", 0)) > scores.FORMAT:
        what = f"the scores have format {notes['format']}, this version reads up to {scores.FORMAT}"
        _refuse(what, path, "use the version of Tiercast that wrote them")
    missing = [name for name in ("customer_id", *needed) if name not in schema.names]
    if missing:
        _refuse(f"the scores lack the column {missing[0]}", path, "score that day again")
    return files.paths, notes


def _schema(path: str) -> pa.Schema:
    try:
        return parquet.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        raise errors.SourceUnreadable(
            f"the file cannot be read: {str(error).splitlines()[0]}", first=path, hint="score that day again"
        ) from error


def _metadata(path: str) -> dict[str, Any]:
    """The score metadata of a Parquet file; empty where it has none."""
    try:
        return scores.about(_schema(path))
    except ValueError:
        return {}


def _refuse_duplicates(engine: Engine, table: ibis.Table, path: str) -> None:
    """A customer with two rows would be counted twice."""
    duplicates = duplicate_ids.find(engine.con, table)
    if duplicates.n:
        raise errors.BadInput(
            "the customer is there more than once",
            count=duplicates.n,
            unit="customers",
            first=f"{duplicates.first} in {path}",
            hint="score that day again; a score file is never edited by hand",
        )


def _refuse(what: str, first: str, hint: str) -> NoReturn:
    raise errors.BadInput(what, first=first, hint=hint)
