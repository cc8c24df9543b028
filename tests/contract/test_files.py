from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract import scripts
from tiercast.contract import errors, files


def test_the_new_content_appears_when_the_block_ends(target: Path) -> None:
    with files.write_atomically(target) as part:
        part.write_text("today's")
        assert target.read_text() == "yesterday's"
    assert target.read_text() == "today's"
    assert scripts.names(target.parent) == [target.name]


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
    assert scripts.is_as_before(target)


def test_an_error_inside_the_block_leaves_the_old_folder_and_nothing_else(folder: Path) -> None:
    def fail() -> None:
        with files.replace_folder(folder) as new:
            (new / "model.json").write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert scripts.is_as_before(folder)


def test_a_folder_is_replaced_with_everything_in_it(folder: Path) -> None:
    (folder / "old.txt").write_text("gone")
    with files.replace_folder(folder) as new:
        (new / "deeper").mkdir()
        (new / "deeper" / "model.json").write_text("today's")
        assert scripts.names(folder) == ["model.json", "old.txt"]
    assert scripts.names(folder) == ["deeper"]
    assert scripts.names(folder.parent) == [folder.name]


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
    assert scripts.names(target.parent) == [target.name]


def test_a_folder_in_the_place_of_a_file_is_refused_and_stays(folder: Path) -> None:
    with pytest.raises(errors.CannotWrite, match="the file cannot be written: is a directory"):  # noqa: SIM117
        with files.write_atomically(folder) as part:
            part.write_text("today's")
    assert scripts.is_as_before(folder)


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
    answer = scripts.run(FULL.format(function="write_atomically"), target)
    assert answer.stdout.startswith("CannotWrite: the file cannot be written: file too large\n"), answer.stderr
    assert scripts.is_as_before(target)


def test_a_full_disk_leaves_the_old_folder_and_nothing_else(folder: Path) -> None:
    answer = scripts.run(FULL.format(function="replace_folder"), folder)
    assert answer.stdout.startswith("CannotWrite: the folder cannot be written: file too large\n"), answer.stderr
    assert scripts.is_as_before(folder)


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
    answer = scripts.run(FORBIDDEN, closed)
    subjects = ("the file", "the folder", "the lock file", "the file")
    wanted = [f"CannotWrite: {subject} cannot be written: permission denied" for subject in subjects]
    assert answer.stdout.splitlines() == wanted, answer.stderr
    assert not list(closed.iterdir())


def test_writable_places_are_left_as_they_were(target: Path) -> None:
    files.require_writable(target)
    files.require_writable(target.parent / "new" / "scores.json")
    assert not scripts.names(target.parent / "new")
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
    before = scripts.names(Path("/proc/self/fd"))
    files.sync(target)
    files.sync(target.parent)
    assert len(scripts.names(Path("/proc/self/fd"))) == len(before)
