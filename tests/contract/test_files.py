from __future__ import annotations

import concurrent.futures
import fcntl
import pathlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from tests import command_line
from tiercast.contract import errors, files


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Yesterday's file, in a folder with nothing else."""
    path = tmp_path / "scores.json"
    path.write_text("yesterday's")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Yesterday's folder with one file, in a folder with nothing else."""
    path = tmp_path / "bundle"
    path.mkdir()
    (path / "model.json").write_text("yesterday's")
    return path


def is_as_before(target: Path) -> bool:
    inside = target / "model.json" if target.is_dir() else target
    return inside.read_text() == "yesterday's" and names(target.parent) == [target.name]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def script(source: str, *arguments: object) -> list[str]:
    return [
        sys.executable,
        "-c",
        f"import os, pathlib, signal, sys, time\nfrom tiercast.contract import errors, files\n{source}",
        *map(str, arguments),
    ]


def run(source: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command, around = script(source, *arguments), command_line.around()
    return subprocess.run(command, env=around, capture_output=True, text=True, check=False)


def started(source: str, *arguments: object) -> subprocess.Popen[str]:
    """The process, once it has printed its first line."""
    command, around = script(source, *arguments), command_line.around()
    child = subprocess.Popen(command, env=around, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def kill(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.communicate()


def test_the_new_content_appears_when_the_block_ends(target: Path) -> None:
    with files.write_atomically(target) as part:
        part.write_text("today's")
        assert target.read_text() == "yesterday's"
    assert target.read_text() == "today's"
    assert names(target.parent) == [target.name]


def test_missing_parent_folders_are_made(tmp_path: Path) -> None:
    with files.write_atomically(tmp_path / "a" / "b" / "scores.json") as part:
        part.write_text("today's")
    with files.replace_folder(tmp_path / "c" / "d" / "bundle") as new:
        (new / "model.json").write_text("today's")
    assert (tmp_path / "a" / "b" / "scores.json").read_text() == "today's"
    assert (tmp_path / "c" / "d" / "bundle" / "model.json").read_text() == "today's"


def test_an_error_inside_the_block_leaves_the_old_file_and_nothing_else(target: Path) -> None:
    def fail() -> None:
        with files.write_atomically(target) as part:
            part.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert is_as_before(target)


def test_an_error_inside_the_block_leaves_the_old_folder_and_nothing_else(folder: Path) -> None:
    def fail() -> None:
        with files.replace_folder(folder) as new:
            (new / "model.json").write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert is_as_before(folder)


def test_a_folder_is_replaced_with_everything_in_it(folder: Path) -> None:
    (folder / "old.txt").write_text("gone")
    with files.replace_folder(folder) as new:
        (new / "deeper").mkdir()
        (new / "deeper" / "model.json").write_text("today's")
        assert names(folder) == ["model.json", "old.txt"]
    assert names(folder) == ["deeper"]
    assert names(folder.parent) == [folder.name]


def test_a_new_file_has_the_usual_permissions_and_a_replaced_one_keeps_its_own(target: Path) -> None:
    target.chmod(0o640)
    (usual := target.with_name("usual")).touch()
    for path in (target, target.with_name("new")):
        with files.write_atomically(path) as part:
            part.write_text("today's")
    assert target.stat().st_mode & 0o777 == 0o640
    assert target.with_name("new").stat().st_mode == usual.stat().st_mode


def test_a_replaced_folder_keeps_its_permissions(folder: Path) -> None:
    folder.chmod(0o750)
    with files.replace_folder(folder) as new:
        (new / "model.json").write_text("today's")
    assert folder.stat().st_mode & 0o777 == 0o750


def test_a_private_file_is_never_open_to_others_while_it_is_written(target: Path) -> None:
    target.chmod(0o600)
    with files.write_atomically(target) as part:
        assert part.stat().st_mode & 0o777 == 0o600


def test_a_writer_that_creates_the_neighbour_anew_is_fine(target: Path) -> None:
    with files.write_atomically(target) as part:
        other = part.with_name("elsewhere")
        other.write_text("today's")
        other.replace(part)
    assert target.read_text() == "today's"
    assert names(target.parent) == [target.name]


def test_a_folder_in_the_place_of_a_file_is_refused_and_stays(folder: Path) -> None:
    with pytest.raises(errors.CannotWrite, match="the file cannot be written: is a directory"):  # noqa: SIM117
        with files.write_atomically(folder) as part:
            part.write_text("today's")
    assert is_as_before(folder)


def test_the_error_names_the_subject_the_reason_the_place_and_a_hint(target: Path) -> None:
    with (
        pytest.raises(errors.CannotWrite) as caught,
        files.write_atomically(target / "below" / "page.html", subject="the page", hint="pass another --html"),
    ):
        pass
    assert str(caught.value).splitlines() == [
        "CannotWrite: the page cannot be written: not a directory",
        f"First: {target / 'below' / 'page.html'}",
        "Hint: pass another --html",
    ]


FULL = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))  # the disk is as good as full beyond it
try:
    with files.{function}(pathlib.Path(sys.argv[1])) as part:
        (part / "model.json" if part.is_dir() else part).write_bytes(bytes(10_000))
except errors.CannotWrite as error:
    print(error)
"""


def test_a_full_disk_leaves_the_old_file_and_nothing_else(target: Path) -> None:
    answer = run(FULL.format(function="write_atomically"), target)
    assert answer.stdout.startswith("CannotWrite: the file cannot be written: file too large\n"), answer.stderr
    assert is_as_before(target)


def test_a_full_disk_leaves_the_old_folder_and_nothing_else(folder: Path) -> None:
    answer = run(FULL.format(function="replace_folder"), folder)
    assert answer.stdout.startswith("CannotWrite: the folder cannot be written: file too large\n"), answer.stderr
    assert is_as_before(folder)


FORBIDDEN = """
if os.getuid() == 0:  # root may write anywhere: become nobody
    os.setgid(65534)
    os.setuid(65534)

def attempt(call, *arguments):
    try:
        with call(*arguments):
            print("no error")
    except errors.CannotWrite as error:
        print(str(error).splitlines()[0])

import contextlib
place = pathlib.Path(sys.argv[1])
attempt(files.write_atomically, place / "scores.json")
attempt(files.replace_folder, place / "bundle")
attempt(files.exclusive_lock, place / "lock")
attempt(contextlib.contextmanager(lambda path: (yield files.require_writable(path))), place / "scores.json")
"""


@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_a_read_only_folder_is_refused_and_left_alone(tmp_path: Path, mode: int) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=mode)
    answer = run(FORBIDDEN, closed)
    subjects = ("the file", "the folder", "the lock file", "the file")
    wanted = [f"CannotWrite: {subject} cannot be written: permission denied" for subject in subjects]
    assert answer.stdout.splitlines() == wanted, answer.stderr
    assert not list(closed.iterdir())


HALF = """
with files.{function}(pathlib.Path(sys.argv[1])) as part:
    (part / "model.json" if part.is_dir() else part).write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""


def test_a_killed_writer_leaves_the_old_file_and_the_next_writer_removes_its_part(target: Path) -> None:
    kill(started(HALF.format(function="write_atomically"), target))
    assert target.read_text() == "yesterday's"
    assert len(names(target.parent)) == 2
    with files.write_atomically(target) as part:
        part.write_text("today's")
    assert target.read_text() == "today's"
    assert names(target.parent) == [target.name]


def test_a_killed_writer_leaves_the_old_folder_and_the_next_writer_removes_its_part(folder: Path) -> None:
    kill(started(HALF.format(function="replace_folder"), folder))
    assert (folder / "model.json").read_text() == "yesterday's"
    assert len(names(folder.parent)) == 2
    files.require_writable(folder)
    assert is_as_before(folder)


BETWEEN = """
rename = pathlib.Path.replace

def replace(path, target):
    rename(path, target)
    if target.name == "old":
        os.kill(os.getpid(), signal.SIGKILL)

pathlib.Path.replace = replace
with files.replace_folder(pathlib.Path(sys.argv[1])) as new:
    (new / "model.json").write_text("today's")
"""


def test_a_writer_killed_between_the_two_renames_loses_no_folder(folder: Path) -> None:
    assert run(BETWEEN, folder).returncode == -signal.SIGKILL
    assert not folder.exists()
    files.require_writable(folder)
    assert is_as_before(folder)


def test_the_old_folder_comes_back_when_the_new_one_cannot_take_its_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = pathlib.Path.replace

    def replace(path: Path, target: Path) -> Path:
        if path.name == files.NEW:
            raise OSError(5, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(pathlib.Path, "replace", replace)
    with pytest.raises(errors.CannotWrite, match="input/output error"), files.replace_folder(folder) as new:
        (new / "model.json").write_text("today's")
    assert is_as_before(folder)


def test_a_writer_leaves_the_parts_of_living_writers_and_of_other_targets_alone(target: Path) -> None:
    others = [target.with_name(f".{name}.12345678.part") for name in ("other.json", "scores.json.gz")]
    for other in others:
        other.touch()
    child = started(HALF.format(function="write_atomically"), target)
    try:
        with files.write_atomically(target) as part:
            part.write_text("today's")
        assert target.read_text() == "today's"
        assert len(names(target.parent)) == 1 + 1 + len(others)
    finally:
        kill(child)
    files.require_writable(target)
    assert names(target.parent) == sorted([target.name, *(other.name for other in others)])


def test_of_many_writers_at_once_one_wins_whole(tmp_path: Path) -> None:
    target, start = tmp_path / "scores.json", threading.Barrier(8)

    def write(number: int) -> None:
        start.wait()
        for _ in range(20):
            with files.write_atomically(target) as part:
                part.write_text(str(number) * 10_000)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    content = target.read_text()
    assert content == content[0] * 10_000
    assert names(tmp_path) == [target.name]


MANY = """
target = pathlib.Path(sys.argv[1])
print("ready", flush=True)
while True:
    with files.write_atomically(target) as part:
        part.write_text(sys.argv[2] * 100_000)
"""


def test_readers_never_see_half_a_file_while_writers_are_killed(tmp_path: Path) -> None:
    target = tmp_path / "scores.json"
    target.write_text("0" * 100_000)
    for number in range(1, 5):
        child = started(MANY, target, number)
        until = time.monotonic() + 0.1
        while time.monotonic() < until:
            content = target.read_text()
            assert content == content[0] * 100_000
        kill(child)
    files.require_writable(target)
    assert names(tmp_path) == [target.name]


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
    child = started(LOCK, tmp_path / "new" / "lock")
    yield child
    kill(child)


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
        assert "another process" in run(LOCK, lock).stdout


def test_a_lock_ends_with_the_process_that_was_killed(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    kill(holder)
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
        assert "another process" in run(LOCK, path).stdout


def test_writable_places_are_left_as_they_were(target: Path) -> None:
    files.require_writable(target)
    files.require_writable(target.parent / "new" / "scores.json")
    assert not names(target.parent / "new")
    assert target.read_text() == "yesterday's"


def test_the_hash_of_a_file_is_that_of_the_standard(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    assert files.sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_file_that_cannot_be_read_has_no_hash(tmp_path: Path) -> None:
    with pytest.raises(errors.SourceUnreadable, match="the file cannot be read: no such file or directory"):
        files.sha256(tmp_path / "absent")
    with pytest.raises(errors.SourceUnreadable, match="is a directory"):
        files.sha256(tmp_path)


def test_sync_reaches_files_and_folders_and_leaves_none_open(target: Path) -> None:
    before = names(Path("/proc/self/fd"))
    files.sync(target)
    files.sync(target.parent)
    assert len(names(Path("/proc/self/fd"))) == len(before)
