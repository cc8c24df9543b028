from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from tests.contract import scripts
from tiercast.contract import errors, files

LOCK = """
try:
    with files.exclusive_lock(pathlib.Path(sys.argv[1])):
        print("ready", flush=True)
        sys.stdin.readline()
except errors.CannotWrite as error:
    print(error)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    child = scripts.started(LOCK, tmp_path / "new" / "lock")
    yield child
    scripts.kill(child)


def test_a_lock_is_refused_while_another_process_holds_it(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    lock = tmp_path / "new" / "lock"
    with pytest.raises(errors.CannotWrite) as caught, files.exclusive_lock(lock):
        pass
    assert str(caught.value).splitlines() == [
        "CannotWrite: another process is writing here",
        f"First: {lock}",
        "Hint: wait until the other process has ended",
    ]
    holder.communicate("end\n")
    with files.exclusive_lock(lock):
        assert "another process" in scripts.run(LOCK, lock).stdout


def test_a_lock_ends_with_the_process_that_was_killed(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    scripts.kill(holder)
    with files.exclusive_lock(tmp_path / "new" / "lock"):
        pass


def test_a_lock_is_refused_with_the_error_of_the_caller(tmp_path: Path) -> None:
    busy = errors.StoreBusy("somebody else publishes", hint="wait")
    with (
        files.exclusive_lock(tmp_path / "lock"),
        pytest.raises(errors.StoreBusy) as caught,
        files.exclusive_lock(tmp_path / "lock", busy=busy),
    ):
        pass
    assert caught.value is busy


def test_a_lock_file_that_its_holder_deleted_protects_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process opens the file before it is deleted, and gets the lock afterwards."""
    path = tmp_path / "lock"
    opened: list[IO[bytes]] = []
    flock = fcntl.flock

    def delete_first(file: IO[bytes], operation: int) -> None:
        if not opened:
            opened.append(file)
            path.unlink()
        flock(file, operation)

    monkeypatch.setattr(fcntl, "flock", delete_first)
    with files.exclusive_lock(path):
        assert path.exists()
        assert "another process" in scripts.run(LOCK, path).stdout
