"""The state that one scoring run saves for the run of the next day: a folder that names one complete set of files.

    state/
        state.json          the current set: its day, features, versions, files and their sizes
        2024-07-31.5c01…/   that set: a row of aggregates per customer (00000.parquet, ... by part), groups.parquet
        lock                held by the run that reads and replaces the set

A new set is written beside the old one and becomes current when `state.json` names it. A run that is killed leaves the
old set current; the next run deletes sets without a name. The files hold customer ids and amounts of money.
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

from tiercast.contract import errors, files
from tiercast.features import changes
from tiercast.features.spec import FeatureSpec
from tiercast.serving.batch import identity

FORMAT = 1
LIBRARIES = ("tiercast", "duckdb", "ibis-framework")
NAME, LOCK, GROUPS = "state.json", "lock", "groups.parquet"
SET = re.compile(r"\d{4}-\d\d-\d\d\.[0-9a-f]{32}")
HINT = "pass another folder with --since, or delete this one: it only saves time"


class SavedState(NamedTuple):
    """One complete set: `n_parts` files hold the aggregates of `customers` customers as of a day.

    `made` is its provenance (see `provenance`).
    """

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
def locked(folder: pathlib.Path) -> Iterator[None]:
    """Make the folder where there is none, and keep other runs out of it. Raises `BadInput` and `CannotWrite`."""
    hint = "wait until it has ended, or pass another --since"
    busy = errors.CannotWrite("another run is writing here", first=str(folder), hint=hint)
    with files.cannot_write(folder):
        _refuse_other_content(folder)
    with files.exclusive_lock(folder / LOCK, busy=busy):
        yield


def _refuse_other_content(folder: pathlib.Path) -> None:
    """The folder must be ours (with a lock), empty, or absent."""
    entry = min(folder.iterdir(), default=None) if folder.is_dir() else folder
    if entry is not None and entry.exists() and not (folder / LOCK).exists():
        hint = "pass a folder of its own; it is made where there is none"
        raise errors.BadInput("the place of --since holds something else", first=str(entry), hint=hint)


def load(folder: pathlib.Path, as_of: dt.date, spec: FeatureSpec) -> SavedState | None:
    """The current set; None where there is none.

    Raises `BadInput` for a set of a later day and for damaged files, `BundleRefused` for one of other features.
    """
    if not (folder / NAME).exists():
        return None
    state, sizes = _read(folder / NAME)
    features, wanted = state.made["features"], provenance(spec)["features"]
    if features != wanted:
        name = next(name for name in {**wanted, **features} if wanted.get(name) != features.get(name))
        raise errors.BundleRefused(
            "the saved state is of other features than the bundle's",
            first=f"{folder}: {name} {features.get(name)}, in the bundle {wanted.get(name)}",
            hint=HINT,
        )
    if state.as_of > as_of:
        hint = f"score {state.as_of} or a later day, or pass another folder with --since"
        first = f"{folder}: saved as of {state.as_of}, now to be scored as of {as_of}"
        raise errors.BadInput("the saved state is of a later day", first=first, hint=hint)
    _refuse_damage(state.folder, sizes)
    return state


def provenance(spec: FeatureSpec) -> dict[str, Any]:
    """All that the aggregates depend on besides the rows: the features, their definition, the libraries' versions."""
    features = {"windows": spec.windows, "season_days": spec.season_days, "columns": spec.columns}
    made = {"features": features, "sums": changes.definition(spec), "libraries": identity.versions(LIBRARIES)}
    as_json: dict[str, Any] = json.loads(json.dumps(made))
    return as_json


def create(folder: pathlib.Path, as_of: dt.date, n_parts: int, spec: FeatureSpec) -> SavedState:
    """An empty place for a new set, which is not current until it is published."""
    _delete_unnamed(folder)
    place = folder / f"{as_of}.{uuid.uuid4().hex}"
    place.mkdir()
    return SavedState(place, as_of, n_parts, 0, provenance(spec))


def publish(state: SavedState) -> SavedState:
    """Make this set the current one, and delete the one before."""
    written = sorted(state.folder.iterdir())
    for file in written:
        files.sync(file)
    manifest = {
        "format": FORMAT,
        "set": state.folder.name,
        "as_of": state.as_of.isoformat(),
        "parts": state.n_parts,
        "customers": state.customers,
        "files": {file.name: file.stat().st_size for file in written},
        "made": state.made,
    }
    with files.write_atomically(state.folder.parent / NAME) as part:
        part.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    _delete_unnamed(state.folder.parent)
    return state


def _delete_unnamed(folder: pathlib.Path) -> None:
    """Delete the sets that `state.json` does not name."""
    current = _read(folder / NAME)[0].folder.name if (folder / NAME).exists() else None
    for place in folder.iterdir():
        if SET.fullmatch(place.name) and place.name != current:
            shutil.rmtree(place, ignore_errors=True)


def _read(file: pathlib.Path) -> tuple[SavedState, dict[str, int]]:
    """The current set, and the sizes of its files."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        day, counts = dt.date.fromisoformat(data["as_of"]), (int(data["parts"]), int(data["customers"]))
        made = {**data["made"], "features": {**data["made"]["features"]}}
        state = SavedState(file.parent / data["set"], day, *counts, made)
        sizes = {name: int(size) for name, size in data["files"].items()}
        wanted = {pathlib.Path(path).name for path in (*state.parts, state.groups)}
        is_ours = data["format"] == FORMAT and SET.fullmatch(data["set"]) is not None and set(sizes) == wanted
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        is_ours = False
    if not is_ours:
        raise errors.BadInput("the saved state cannot be read by this version", first=str(file), hint=HINT)
    return state, sizes


def _refuse_damage(folder: pathlib.Path, sizes: Mapping[str, int]) -> None:
    found = {file.name: file.stat().st_size for file in folder.iterdir()} if folder.is_dir() else {}
    wrong = sorted(name for name, size in sizes.items() if found.get(name) != size)
    if wrong:
        raise errors.BadInput(
            "files of the saved state are missing, or not as they were written",
            count=len(wrong),
            total=len(sizes),
            unit="files",
            first=str(folder / wrong[0]),
            hint=HINT,
        )
