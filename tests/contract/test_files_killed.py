from __future__ import annotations

import concurrent.futures
import pathlib
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.contract import scripts
from tiercast.contract import errors, files

HALF = """
with files.{function}(pathlib.Path(sys.argv[1])) as part:
    (part / "model.json" if part.is_dir() else part).write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""


def test_a_killed_writer_leaves_the_old_file_and_the_next_writer_removes_its_part(target: Path) -> None:
    scripts.kill(scripts.started(HALF.format(function="write_atomically"), target))
    assert target.read_text() == "yesterday's"
    assert len(scripts.names(target.parent)) == 2
    with files.write_atomically(target) as part:
        part.write_text("today's")
    assert target.read_text() == "today's"
    assert scripts.names(target.parent) == [target.name]


def test_a_killed_writer_leaves_the_old_folder_and_the_next_writer_removes_its_part(folder: Path) -> None:
    scripts.kill(scripts.started(HALF.format(function="replace_folder"), folder))
    assert (folder / "model.json").read_text() == "yesterday's"
    assert len(scripts.names(folder.parent)) == 2
    files.require_writable(folder)
    assert scripts.is_as_before(folder)


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
    assert scripts.run(BETWEEN, folder).returncode == -signal.SIGKILL
    assert not folder.exists()
    files.require_writable(folder)
    assert scripts.is_as_before(folder)


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
    assert scripts.is_as_before(folder)


def test_a_writer_leaves_the_parts_of_living_writers_and_of_other_targets_alone(target: Path) -> None:
    others = [target.with_name(f".{name}.12345678.part") for name in ("other.json", "scores.json.gz")]
    for other in others:
        other.touch()
    child = scripts.started(HALF.format(function="write_atomically"), target)
    try:
        with files.write_atomically(target) as part:
            part.write_text("today's")
        assert target.read_text() == "today's"
        assert len(scripts.names(target.parent)) == 1 + 1 + len(others)
    finally:
        scripts.kill(child)
    files.require_writable(target)
    assert scripts.names(target.parent) == sorted([target.name, *(other.name for other in others)])


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
    assert scripts.names(tmp_path) == [target.name]


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
        child = scripts.started(MANY, target, number)
        until = time.monotonic() + 0.1
        while time.monotonic() < until:
            content = target.read_text()
            assert content == content[0] * 100_000
        scripts.kill(child)
    files.require_writable(target)
    assert scripts.names(tmp_path) == [target.name]
