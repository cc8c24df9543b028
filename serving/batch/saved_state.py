"""What a scoring run keeps for the run of the next day: a folder that names one complete set of files, or none.

    state/
        state.json          which set counts: its day, features, versions, files and their sizes
        2024-07-31.5c01…/   that set: a row of sums per customer (00000.parquet, ... by part), groups.parquet
        lock

A new set is written whole beside the old one and counts from the moment that `state.json` names it; a run that is
killed leaves the old one, and the next run removes what no name leads to. The files hold customer ids and their money.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import pathlib
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tiercast.contract import errors
from tiercast.features import changes
from tiercast.features.spec import FeatureSpec
from tiercast.serving.batch import checkpoint, identity, output

FORMAT = 1
LIBRARIES = ("tiercast", "duckdb", "ibis-framework")
NAME, LOCK, GROUPS = "state.json", "lock", "groups.parquet"
SET = re.compile(r"\d{4}-\d\d-\d\d\.[0-9a-f]{32}")
HINT = "pass another folder with --since, or delete this one: it only saves time"


class State(NamedTuple):
    """One complete set; `n_parts` files hold the sums, and `customers` rows are in them."""

    folder: pathlib.Path
    as_of: dt.date
    n_parts: int
    customers: int
    made: Mapping[str, Any]

    def part(self, k: int) -> str:
        return str(self.folder / f"{k:05}.parquet")

    @property
    def parts(self) -> list[str]:
        return [self.part(k) for k in range(self.n_parts)]

    @property
    def groups(self) -> str:
        return str(self.folder / GROUPS)


@contextlib.contextmanager
def held(folder: pathlib.Path) -> Iterator[None]:
    """The folder is there, and no other run's, inside the `with` block. Raises `BadInput` and `CannotWrite`."""
    with contextlib.ExitStack() as stack:
        with output.told(folder):
            found = min(folder.iterdir(), default=None) if folder.is_dir() else folder
            if found is not None and found.exists() and not (folder / LOCK).exists():
                raise errors.BadInput(
                    "the place of --since holds something else",
                    first=str(found),
                    hint="pass a folder of its own; it is made where there is none",
                )
            folder.mkdir(parents=True, exist_ok=True)
            checkpoint.hold(stack.enter_context((folder / LOCK).open("wb")).fileno(), folder, "pass another --since")
        yield


def load(folder: pathlib.Path, as_of: dt.date, spec: FeatureSpec) -> State | None:
    """What the last run kept, None where nothing is.

    Raises `BadInput` for a later day's and for files that are not as they were written, `BundleRefused` for one of
    other features.
    """
    if not (folder / NAME).exists():
        return None
    kept, sizes = _said(folder / NAME)
    features, wanted = kept.made["features"], made(spec)["features"]
    if features != wanted:
        name = next(name for name in {**wanted, **features} if wanted.get(name) != features.get(name))
        raise errors.BundleRefused(
            "what the last run kept are sums for other features than the bundle's",
            first=f"{folder}: {name} {features.get(name)}, in the bundle {wanted.get(name)}",
            hint=HINT,
        )
    if kept.as_of > as_of:
        hint = f"score {kept.as_of} or a later day, or pass another folder with --since"
        first = f"{folder}: kept of {kept.as_of}, asked for {as_of}"
        raise errors.BadInput("what the last run kept is of a later day", first=first, hint=hint)
    _refuse_damage(kept.folder, sizes)
    return kept


def made(spec: FeatureSpec) -> dict[str, Any]:
    """What the sums depend on besides the rows: the features, how they are defined, and who computed them."""
    features = {"windows": spec.windows, "season_days": spec.season_days, "columns": spec.columns}
    said = {"features": features, "sums": changes.definition(spec), "libraries": identity.versions(LIBRARIES)}
    plain: dict[str, Any] = json.loads(json.dumps(said))
    return plain


def fresh(folder: pathlib.Path, as_of: dt.date, n_parts: int, spec: FeatureSpec) -> State:
    """A place for a new set, which counts for nothing until it is `publish`ed."""
    _clean(folder)
    place = folder / f"{as_of}.{uuid.uuid4().hex}"
    place.mkdir()
    return State(place, as_of, n_parts, 0, made(spec))


def publish(state: State) -> State:
    """From now on this set counts, and the one before is gone."""
    files = sorted(state.folder.iterdir())
    for file in files:
        output.to_disk(file)
    said = {
        "format": FORMAT,
        "set": state.folder.name,
        "as_of": state.as_of.isoformat(),
        "parts": state.n_parts,
        "customers": state.customers,
        "files": {file.name: file.stat().st_size for file in files},
        "made": state.made,
    }
    target = state.folder.parent / NAME
    beside = target.with_suffix(".part")
    beside.write_text(json.dumps(said, indent=1), encoding="utf-8")
    output.to_disk(beside)
    beside.replace(target)
    _clean(target.parent)
    return state


def _clean(folder: pathlib.Path) -> None:
    """Remove the sets that count for nothing: all but the one that `state.json` names."""
    named = _said(folder / NAME)[0].folder.name if (folder / NAME).exists() else None
    for place in folder.iterdir():
        if SET.fullmatch(place.name) and place.name != named:
            shutil.rmtree(place, ignore_errors=True)


def _said(file: pathlib.Path) -> tuple[State, dict[str, int]]:
    """The set that counts, and the sizes of its files."""
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        day, counts = dt.date.fromisoformat(said["as_of"]), (int(said["parts"]), int(said["customers"]))
        state = State(
            file.parent / said["set"], day, *counts, {**said["made"], "features": {**said["made"]["features"]}}
        )
        sizes = {name: int(size) for name, size in said["files"].items()}
        wanted = {pathlib.Path(path).name for path in (*state.parts, state.groups)}
        is_ours = said["format"] == FORMAT and SET.fullmatch(said["set"]) is not None and set(sizes) == wanted
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        is_ours = False
    if not is_ours:
        raise errors.BadInput("what the last run kept cannot be read by this version", first=str(file), hint=HINT)
    return state, sizes


def _refuse_damage(folder: pathlib.Path, sizes: Mapping[str, int]) -> None:
    found = {file.name: file.stat().st_size for file in folder.iterdir()} if folder.is_dir() else {}
    wrong = sorted(name for name, size in sizes.items() if found.get(name) != size)
    if wrong:
        raise errors.BadInput(
            "what the last run kept is not as it was written",
            count=len(wrong),
            total=len(sizes),
            unit="files",
            first=str(folder / wrong[0]),
            hint=HINT,
        )
