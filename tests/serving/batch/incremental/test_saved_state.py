"""The folder that a run goes on from: what is refused, and what a run leaves that ends in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import command_line
from tests.serving.batch.incremental import runs
from tiercast.contract import errors
from tiercast.models import bundle_folder
from tiercast.models.bundle import Bundle
from tiercast.serving.batch import saved_state

KILLED = """
import datetime as dt, os, pathlib, signal, sys
from tiercast.features.engines.duckdb import Engine
from tiercast.features.reading import Sources
from tiercast.models import bundle_folder
from tiercast.contract import files
from tiercast.serving.batch import saved_state
from tiercast.serving.batch import scoring
from tiercast.features import parts

bundle, source, day, out, state, moment = sys.argv[1:]
parts.ROWS_PER_PART = 400
kill = lambda *given, **how: os.kill(os.getpid(), signal.SIGKILL)
if moment == "files":
    files.sync = lambda path: kill() if path.name == "groups.parquet" else None
elif moment == "name":
    rename = pathlib.Path.replace
    pathlib.Path.replace = lambda path, target: (kill if target.name == "state.json" else rename)(path, target)
elif moment == "old":
    remove = saved_state.shutil.rmtree
    saved_state.shutil.rmtree = lambda path, **how: (kill if "state" in str(path) else remove)(path, **how)
tell = lambda k, of: kill() if moment == "scores" and k == 2 else None
with Engine(threads=1) as engine:
    loaded = bundle_folder.load(pathlib.Path(bundle))
    day, places = dt.date.fromisoformat(day), (pathlib.Path(out), pathlib.Path(state))
    scoring.score_all(engine, loaded, Sources(source), day, places[0], since=places[1], on_progress=tell)
"""


class Killed(BaseException):
    """What ends a run in the middle, here inside the process."""


def test_state_of_a_later_day_is_refused_and_stays(bundle: Bundle, source: str, tmp_path: Path) -> None:
    runs.score(bundle, source, runs.DAYS[1], tmp_path / "s.parquet", tmp_path / "state")
    before = (tmp_path / "state" / "state.json").read_bytes()
    with pytest.raises(errors.BadInput, match="of a later day") as caught:
        runs.score(bundle, source, runs.FIRST, tmp_path / "s.parquet", tmp_path / "state")
    assert f"saved as of {runs.DAYS[1]}, now to be scored as of {runs.FIRST}" in str(caught.value)
    assert (tmp_path / "state" / "state.json").read_bytes() == before


def test_state_of_other_features_is_refused(bundle: Bundle, source: str, tmp_path: Path) -> None:
    runs.score(bundle, source, runs.FIRST, tmp_path / "s.parquet", tmp_path / "state")
    other = bundle._replace(spec=bundle.spec._replace(windows=(7, *bundle.spec.windows)))
    with pytest.raises(errors.BundleRefused, match="other features") as caught:
        runs.score(other, source, runs.FIRST, tmp_path / "s.parquet", tmp_path / "state")
    assert "windows" in str(caught.value)


def test_a_folder_of_something_else_is_refused_and_left_alone(bundle: Bundle, source: str, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "thesis.txt").write_text("mine")
    with pytest.raises(errors.BadInput, match="something else"):
        runs.score(bundle, source, runs.FIRST, tmp_path / "s.parquet", tmp_path / "state")
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["thesis.txt"]


def test_a_file_and_a_place_in_the_data_are_refused(bundle: Bundle, source: str, tmp_path: Path) -> None:
    with pytest.raises(errors.CannotWrite):
        runs.score(bundle, source, runs.FIRST, tmp_path / "s.parquet", Path(source))
    with pytest.raises(errors.CannotWrite, match="--since"):
        runs.score(bundle, str(Path(source).parent), runs.FIRST, tmp_path / "s.parquet", Path(source).parent / "state")


@pytest.mark.parametrize("damage", ["cut", "gone", "no json", "newer"])
def test_damaged_state_is_refused(bundle: Bundle, source: str, tmp_path: Path, damage: str) -> None:
    runs.score(bundle, source, runs.FIRST, tmp_path / "s.parquet", tmp_path / "state")
    file, said = next((tmp_path / "state").rglob("00000.parquet")), tmp_path / "state" / "state.json"
    if damage == "cut":
        os.truncate(file, 100)
    elif damage == "gone":
        file.unlink()
    else:
        said.write_text("{" if damage == "no json" else said.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(errors.BadInput) as caught:
        runs.score(bundle, source, runs.FIRST, tmp_path / "s.parquet", tmp_path / "state")
    assert "pass another folder with --since" in str(caught.value)


def test_two_runs_do_not_share_a_state(bundle: Bundle, source: str, tmp_path: Path) -> None:
    with (
        saved_state.locked(tmp_path / "state"),
        pytest.raises(errors.CannotWrite, match="another run"),
    ):
        runs.score(bundle, source, runs.FIRST, tmp_path / "s.parquet", tmp_path / "state")


def test_a_run_that_ends_while_it_writes_leaves_the_state_before(
    bundle: Bundle, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.score(bundle, source, runs.FIRST, tmp_path / "s.parquet", tmp_path / "state")
    before = sorted(path.name for path in (tmp_path / "state").iterdir())

    def killed(state: saved_state.SavedState) -> saved_state.SavedState:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(saved_state, "publish", killed)
        with pytest.raises(Killed):
            runs.score(bundle, source, runs.DAYS[1], tmp_path / "s.parquet", tmp_path / "state")
    assert len(list((tmp_path / "state").iterdir())) == len(before) + 1
    said = runs.assert_same_as_all(bundle, source, runs.DAYS[1], tmp_path)
    assert said.last == runs.FIRST
    assert len(list((tmp_path / "state").iterdir())) == len(before)


@pytest.mark.parametrize("moment", ["files", "name", "old", "scores"])
def test_a_process_killed_outright_leaves_a_state_to_go_on_from(
    bundle: Bundle, source: str, tmp_path: Path, in_parts: None, moment: str
) -> None:
    bundle_folder.save(bundle, tmp_path / "bundle")
    loaded = bundle_folder.load(tmp_path / "bundle")
    runs.score(loaded, source, runs.FIRST, tmp_path / "since.parquet", tmp_path / "state")
    given = (tmp_path / "bundle", source, runs.DAYS[1], tmp_path / "since.parquet", tmp_path / "state", moment)
    asked = [sys.executable, "-c", KILLED, *map(str, given)]
    ended = subprocess.run(asked, env=command_line.around(), check=False)
    assert ended.returncode == -signal.SIGKILL
    said = runs.assert_same_as_all(loaded, source, runs.DAYS[1], tmp_path)
    assert said.last == (runs.FIRST if moment in ("files", "name") else runs.DAYS[1])
    sets = [path.name for path in (tmp_path / "state").iterdir() if path.is_dir()]
    assert len(sets) == 1 or moment == "old"
    runs.assert_same_as_all(loaded, source, runs.DAYS[2], tmp_path)
    assert len([path.name for path in (tmp_path / "state").iterdir() if path.is_dir()]) == 1


@pytest.mark.parametrize(
    "damage",
    [
        {"made": None},
        {"made": {"features": None}},
        {"parts": "three"},
        {"parts": 7},
        {"as_of": "yesterday"},
        {"set": "../elsewhere"},
        {"files": []},
        {"files": {}},
        {"format": 99},
    ],
)
def test_a_state_that_says_something_else_is_refused_and_stays(
    bundle: Bundle, source: str, tmp_path: Path, damage: dict[str, Any]
) -> None:
    out, state = tmp_path / "s.parquet", tmp_path / "state"
    runs.score(bundle, source, runs.FIRST, out, state)
    named = state / "state.json"
    named.write_text(json.dumps(json.loads(named.read_text()) | damage))
    before = {path: path.stat().st_size for path in state.rglob("*")}
    with pytest.raises(errors.BadInput, match="cannot be read by this version"):
        runs.score(bundle, source, runs.DAYS[1], out, state)
    assert {path: path.stat().st_size for path in state.rglob("*")} == before


def test_a_file_is_no_place_for_a_state(bundle: Bundle, source: str, tmp_path: Path) -> None:
    file = tmp_path / "state"
    file.write_text("mine")
    with pytest.raises(errors.BadInput, match="holds something else"):
        runs.score(bundle, source, runs.FIRST, tmp_path / "s.parquet", file)
    assert file.read_text() == "mine"
