from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests import command_line
from tiercast.contract import errors
from tiercast.serving.batch import output

TABLE = pa.table({"customer_id": ["a", "b"], "p_churn": [0.1, 0.9]})


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Yesterday's file, in a folder with nothing else."""
    path = tmp_path / "scores.parquet"
    path.write_bytes(b"yesterday's")
    return path


def is_as_before(out: Path) -> bool:
    return out.read_bytes() == b"yesterday's" and [path.name for path in out.parent.iterdir()] == [out.name]


def test_the_file_appears_when_the_block_ends(out: Path) -> None:
    with output.writer(out, TABLE.schema) as write:
        write(TABLE)
        write(TABLE)
        assert out.read_bytes() == b"yesterday's"
    assert parquet.read_table(out).num_rows == 4
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_an_error_in_the_middle_leaves_the_old_file_and_no_part(out: Path) -> None:
    def fail_after_one(rows: pa.Table) -> None:
        with output.writer(out, rows.schema) as write:
            write(rows)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_one(TABLE)
    assert is_as_before(out)


def test_rows_of_another_shape_leave_the_old_file_and_no_part(out: Path) -> None:
    with pytest.raises(ValueError, match="schema"), output.writer(out, TABLE.schema) as write:
        write(TABLE.drop("p_churn"))
    assert is_as_before(out)


FULL = """
import pathlib, resource, sys
import numpy as np, pyarrow as pa
from tiercast.contract import errors
from tiercast.serving.batch import output

out = pathlib.Path(sys.argv[1])
rows = pa.table({"x": np.random.default_rng(1).random(100_000)})
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    with output.writer(out, rows.schema) as write:
        for _ in range(5):
            write(rows)
except errors.CannotWrite as error:
    print(error)
"""


def test_a_disk_that_fills_up_leaves_the_old_file_and_no_part(out: Path) -> None:
    asked = [sys.executable, "-c", FULL, str(out)]
    answer = subprocess.run(asked, env=command_line.around(), capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("CannotWrite: the file cannot be written: ")
    assert "too large" in answer.stdout
    assert f"First: {out}" in answer.stdout
    assert is_as_before(out)


FORBIDDEN = """
import os, pathlib, sys
from tiercast.contract import errors
from tiercast.serving.batch import output

if os.getuid() == 0:  # root may write anywhere: become nobody
    os.setgid(65534)
    os.setuid(65534)
for name in sys.argv[1:]:
    try:
        output.check(pathlib.Path(name))
    except errors.CannotWrite as error:
        print(str(error).splitlines()[0])
"""


def test_a_place_without_permission_is_refused_and_left_alone(out: Path) -> None:
    closed = out.parent / "closed"
    closed.mkdir(mode=0o555)
    asked = [sys.executable, "-c", FORBIDDEN, str(closed / "s.parquet"), str(closed / "deeper" / "s.parquet")]
    answer = subprocess.run(asked, env=command_line.around(), capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines() == ["CannotWrite: the file cannot be written: permission denied"] * 2
    assert not list(closed.iterdir())


@pytest.mark.parametrize("name", ["scores.tsv", "scores", "scores.parquet.gz", "scores.csv.zip"])
def test_another_ending_is_refused_with_the_right_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(errors.CannotWrite) as caught:
        output.check(tmp_path / name)
    assert ".parquet" in caught.value.hint
    assert not list(tmp_path.iterdir())


def test_a_folder_is_no_target(tmp_path: Path) -> None:
    (tmp_path / "scores.parquet").mkdir()
    with pytest.raises(errors.CannotWrite, match="folder"):
        output.check(tmp_path / "scores.parquet")


def test_a_folder_below_a_file_is_refused(out: Path) -> None:
    with pytest.raises(errors.CannotWrite):
        output.check(out / "scores.parquet")
    assert is_as_before(out)


def test_checking_makes_the_folder_and_leaves_nothing_in_it(tmp_path: Path) -> None:
    output.check(tmp_path / "new" / "scores.parquet")
    assert not list((tmp_path / "new").iterdir())


def test_what_a_killed_run_left_behind_is_removed_by_the_next(out: Path) -> None:
    out.with_name(".scores.parquet.part").write_bytes(b"half")
    output.check(out)
    assert is_as_before(out)
