"""The jobs file: a TOML file with the sources that jobs may score. A caller names a source, never a path.

    [jobs]                              # all of it optional
    at_once = 1

    [sources.shop]
    transactions = "data/orders.parquet"
    out = "scores/shop-{as_of}.parquet"

Relative paths start at the folder of the file.
"""

from __future__ import annotations

import datetime as dt
import pathlib
import re
from typing import Annotated

import pydantic
from pydantic import BaseModel, ConfigDict, Field, field_validator

from tiercast.contract import errors, settings_file
from tiercast.contract.scores import Reasons
from tiercast.features.reading import Sources, columns
from tiercast.serving.jobs import states

VARIABLE = "TIERCAST_JOBS"
DAY = "{as_of}"
HINT = "docs/service.md, Batch jobs, lists every key"
Name = Annotated[str, Field(pattern=f"^{states.NAME}$")]
Place = Annotated[str, Field(min_length=1)]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class QueueSettings(_Settings):
    """`at_once` is per machine; a job whose process dies is tried `attempts` times."""

    at_once: Annotated[int, Field(ge=1, le=64)] = 1
    most_queued: Annotated[int, Field(ge=1, le=10_000)] = 100
    attempts: Annotated[int, Field(ge=1, le=20)] = 3
    stale_seconds: Annotated[float, Field(ge=1, le=3600)] = 30.0
    keep_days: Annotated[int, Field(ge=1, le=3650)] = 90


class ConfiguredSource(_Settings):
    """One customer base: the places of its tables and scores, and whether the scores are then published."""

    transactions: Place
    customers: Place | None = None
    interactions: Place | None = None
    overrides: Place | None = None
    columns: dict[str, str] = {}
    out: Place
    publish: bool = False
    keep: Annotated[int, Field(ge=1, le=1000)] | None = None
    previous: bool = False
    reasons: Reasons = "all"
    memory: str | None = None
    threads: Annotated[int, Field(ge=1, le=256)] | None = None

    @field_validator("out")
    @classmethod
    def _is_parquet(cls, out: str) -> str:
        if not out.endswith(".parquet") or "{" in out.replace(DAY, "") or DAY in str(pathlib.Path(out).parent):
            raise ValueError(f"must be a file such as scores/shop-{DAY}.parquet, with no other braces")
        return out

    def tables(self) -> Sources:
        """The input tables, as `batch.score_all` takes them."""
        return Sources(self.transactions, self.customers, self.interactions, self.overrides, self.columns)

    def target(self, as_of: dt.date) -> pathlib.Path:
        """The score file of a day."""
        return pathlib.Path(self.out.replace(DAY, as_of.isoformat()))

    def previous_scores(self, as_of: dt.date) -> str | None:
        """The newest score file of this source before `as_of`, if its tiers hold customers near a cut."""
        out = pathlib.Path(self.out)
        before, _, after = out.name.partition(DAY)
        if not self.previous or not out.parent.is_dir():
            return None
        pattern = re.compile(rf"{re.escape(before)}(\d{{4}}-\d\d-\d\d){re.escape(after)}")
        matches = [match for file in out.parent.iterdir() if (match := pattern.fullmatch(file.name))]
        days = [match[1] for match in matches if match[1] < as_of.isoformat()]
        return self.out.replace(DAY, max(days)) if days else None


class JobsFile(_Settings):
    """The whole file."""

    jobs: QueueSettings = QueueSettings()
    sources: Annotated[dict[Name, ConfiguredSource], Field(min_length=1)]


def read(path: pathlib.Path) -> JobsFile:
    """The file with absolute paths. Raises `BadInput` where it cannot be read or a setting is not allowed.

    Missing data are not an error here: they may come and go while the service runs.
    """
    content = settings_file.read(path, subject="the jobs file", hint=f"pass --jobs an existing TOML file; {HINT}")
    try:
        parsed = JobsFile.model_validate(content)
    except pydantic.ValidationError as error:
        raise settings_file.refusal(error, hint=HINT, prefix=f"{path}: ") from None
    resolved = {name: _resolve(source, path.resolve().parent) for name, source in parsed.sources.items()}
    for name, source in resolved.items():
        _check(name, source, path)
    _refuse_shared_target(resolved, path)
    _refuse_two_published(resolved, path)
    return parsed.model_copy(update={"sources": resolved})


def _resolve(source: ConfiguredSource, folder: pathlib.Path) -> ConfiguredSource:
    """The source with paths from the file's folder: a service may start in any folder. URLs stay unchanged."""
    places = {name: getattr(source, name) for name in (*columns.TABLES, "out")}
    absolute = {name: str(folder / place) for name, place in places.items() if place and "://" not in place}
    return source.model_copy(update=absolute)


def _check(name: str, source: ConfiguredSource, path: pathlib.Path) -> None:
    tables = tuple(table for table in columns.TABLES if getattr(source, table))
    try:
        columns.check(source.columns, tables)
    except errors.BadInput as error:
        raise errors.BadInput(error.what, first=f"{path}: sources.{name}.columns: {error.first}", hint=HINT) from None
    if source.previous and DAY not in source.out:
        what, hint = "earlier scores can only be found by their day", f"put {DAY} into the name of `out`"
        raise errors.BadInput(what, first=f"{path}: sources.{name}.previous", hint=hint)
    if source.keep is not None and not source.publish:
        what, hint = "generations are only kept where scores are published", "set publish = true, or leave `keep` out"
        raise errors.BadInput(what, first=f"{path}: sources.{name}.keep", hint=hint)


def _refuse_shared_target(sources: dict[str, ConfiguredSource], path: pathlib.Path) -> None:
    """Two sources with one target would overwrite each other's scores."""
    name_by_target: dict[str, str] = {}
    for name, source in sources.items():
        other = name_by_target.setdefault(source.out, name)
        if other != name:
            hint = "give each source an `out` of its own"
            both = f"{path}: sources.{other}.out, sources.{name}.out"
            raise errors.BadInput("two sources write the same file", first=both, hint=hint)


def _refuse_two_published(sources: dict[str, ConfiguredSource], path: pathlib.Path) -> None:
    """A store serves one generation: a second base would replace the first."""
    published = [name for name, source in sources.items() if source.publish]
    if len(published) > 1:
        first = f"{path}: {', '.join(f'sources.{name}.publish' for name in published)}"
        hint = "set publish = true in one source, and run a service with a store of its own for each other base"
        raise errors.BadInput("a store serves one base", first=first, hint=hint)
