"""A run that is killed goes on where it was, and what it then writes is what an undisturbed run writes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests import command_line, scored_tables
from tiercast.contract import errors
from tiercast.features import parts
from tiercast.models import bundle_folder
from tiercast.serving import score
from tiercast.serving.batch import checkpoint, identity, scoring
from tiercast.training.train import Trained

ROWS = pa.table({"customer_id": ["a", "b", "c"], "p_churn": [0.1, 0.5, 0.9]})
WHAT = {"data": "of today"}


class Killed(BaseException):
    """What ends a run in the middle, here inside the process."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return scored_tables.write(tmp_path_factory.mktemp("purchases"), scored_tables.purchases())


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small base in some five parts of two row groups each."""
    monkeypatch.setattr(parts, "ROWS_PER_PART", 70)
    monkeypatch.setattr(scoring, "ROWS", 10)


def tables(k: int) -> Iterator[pa.Table]:
    yield from (ROWS.slice(0, 2), ROWS.slice(2))


def leave_after(out: Path, n: int, what: dict[str, Any] = WHAT) -> None:
    """A run of three parts that is killed in the middle of part `n`."""
    with checkpoint.resume(out, ROWS.schema, what, 3) as kept:
        for k in range(n):
            list(kept.tables(k, tables(k)))
        next(kept.tables(n, tables(n)))
        raise Killed


def test_finished_parts_are_read_and_not_computed_again(tmp_path: Path) -> None:
    out = tmp_path / "scores.parquet"
    with pytest.raises(Killed):
        leave_after(out, 2)
    with checkpoint.resume(out, ROWS.schema, WHAT, 3) as kept:
        assert [kept.is_finished(k) for k in range(3)] == [True, True, False]
        assert [table.num_rows for table in kept.tables(0, ())] == [2, 1]
        assert pa.concat_tables(kept.tables(1, ())).equals(ROWS)
        assert pa.concat_tables(kept.tables(2, tables(2))).equals(ROWS)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("what", [{"data": "of tomorrow"}, {}])
def test_parts_of_another_run_are_thrown_away(tmp_path: Path, what: dict[str, Any]) -> None:
    out = tmp_path / "scores.parquet"
    with pytest.raises(Killed):
        leave_after(out, 2)
    with checkpoint.resume(out, ROWS.schema, what, 3) as kept:
        assert kept.n_finished == 0
        assert sorted(path.name for path in kept.folder.iterdir()) == ["lock", "run.json"]


def test_a_run_that_finished_no_part_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        leave_after(tmp_path / "scores.parquet", 0)
    assert not list(tmp_path.iterdir())


def test_a_second_run_to_the_same_place_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "scores.parquet"
    with checkpoint.resume(out, ROWS.schema, WHAT, 2) as kept:
        list(kept.tables(0, tables(0)))
        with pytest.raises(errors.CannotWrite, match="another run"), checkpoint.resume(out, ROWS.schema, {}, 2):
            pass
        assert kept.n_finished == 1
    with checkpoint.resume(out, ROWS.schema, WHAT, 2) as kept:
        assert kept.n_finished == 0


def test_what_is_touched_or_added_changes_the_fingerprint(tmp_path: Path) -> None:
    files = [tmp_path / name for name in "ab"]
    for file in files:
        file.write_bytes(b"1")
    before = identity.fingerprint(files)
    assert identity.fingerprint(files) == before
    assert identity.fingerprint(files[:1]) != before
    files[0].write_bytes(b"2")
    os.utime(files[0], ns=(1, 1))
    assert identity.fingerprint(files) != before


def test_a_run_stopped_at_any_part_goes_on_and_writes_the_same_bytes(
    trained: Trained, source: str, tmp_path: Path, in_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored_tables.score(trained.bundle, source, tmp_path / "undisturbed.parquet")
    expected = (tmp_path / "undisturbed.parquet").read_bytes()
    out, computed = tmp_path / "scores.parquet", list[str]()

    def stop_in(part: int) -> Any:
        def on_progress(k: int, of: int) -> None:
            if k == part:
                raise Killed

        return on_progress

    plain = score.score

    def counting(*given: Any, **how: Any) -> pa.Table:
        table = plain(*given, **how)
        computed.extend(table["customer_id"].to_pylist())
        return table

    monkeypatch.setattr(score, "score", counting)
    for part in (1, 3):
        with pytest.raises(Killed):
            scored_tables.score(trained.bundle, source, out, on_progress=stop_in(part))
        assert not out.exists()
    table = scored_tables.score(trained.bundle, source, out, threads=2)
    assert out.read_bytes() == expected
    assert sorted(computed) == sorted(table["customer_id"].to_pylist())
    assert {path.name for path in tmp_path.iterdir()} == {"undisturbed.parquet", "scores.parquet"}


def test_other_options_and_another_bundle_start_over(
    trained: Trained, source: str, tmp_path: Path, in_parts: None
) -> None:
    out = tmp_path / "scores.parquet"

    def stop(k: int, of: int) -> None:
        if k == 2:
            raise Killed

    with pytest.raises(Killed):
        scored_tables.score(trained.bundle, source, out, on_progress=stop)
    about = trained.bundle.about._replace(version="99")
    table = scored_tables.score(trained.bundle._replace(about=about), source, out, reasons="none")
    assert {len(one) for one in table["reasons"].to_pylist()} == {0}
    assert all("/99" in one for one in set(table["model"].to_pylist()))


KILLED = """
import os, pathlib, signal, sys
from tiercast.features import parts
from tiercast.models import bundle_folder
from tiercast.serving.batch import scoring
from tests import scored_tables

parts.ROWS_PER_PART, scoring.ROWS = 70, 10
bundle, source, out = sys.argv[1:]

def kill_in_the_third(k, of):
    if k == 2:
        os.kill(os.getpid(), signal.SIGKILL)

scored_tables.score(bundle_folder.load(pathlib.Path(bundle)), source, pathlib.Path(out), on_progress=kill_in_the_third)
"""


def test_a_process_killed_outright_is_gone_on_from(
    trained: Trained, source: str, tmp_path: Path, in_parts: None
) -> None:
    bundle_folder.save(trained.bundle, tmp_path / "bundle")
    bundle = bundle_folder.load(tmp_path / "bundle")
    out = tmp_path / "scores.parquet"
    asked = [sys.executable, "-c", KILLED, str(tmp_path / "bundle"), source, str(out)]
    ended = subprocess.run(asked, env=command_line.around(), check=False)
    assert ended.returncode == -signal.SIGKILL
    assert not out.exists()
    seen: list[int] = []
    started = time.monotonic()
    scored_tables.score(bundle, source, out, on_progress=lambda k, of: seen.append(k))
    scored_tables.score(bundle, source, tmp_path / "undisturbed.parquet")
    assert out.read_bytes() == (tmp_path / "undisturbed.parquet").read_bytes()
    assert time.monotonic() - started < 60
    assert {path.name for path in tmp_path.iterdir()} == {"bundle", "scores.parquet", "undisturbed.parquet"}
