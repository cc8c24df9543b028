"""A result that finds no place, on stdout or in a folder: four parts and an exit code."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests import command_line, make_tables

FULL = Path("/dev/full")


@pytest.mark.may_skip("only Linux has a device that is always full")
@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full")
@pytest.mark.parametrize("more", [(), ("--json",)], ids=["text", "json"])
def test_a_full_disk_behind_stdout_is_refused_in_four_parts(tmp_path: Path, more: tuple[str, ...]) -> None:
    orders = make_tables.write_text(tmp_path, "customer_id,ordered_at,amount\nc-1,1998-01-01,1.5\n", "orders.csv")
    with FULL.open("w") as full:
        done = subprocess.run(
            [*command_line.COMMAND, "check", orders, "--as-of", "1998-01-02", *more],
            env=command_line.around(), stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines()[-3:] == [
        "CannotWrite: the result cannot be written: no space left on device",
        "First: standard output",
        "Hint: write it to a place with space left",
    ]
    assert "Traceback" not in done.stderr


def test_a_reader_that_has_left_ends_the_command_without_a_word(tmp_path: Path) -> None:
    orders = make_tables.write_text(tmp_path, "customer_id,ordered_at,amount\nc-1,1998-01-01,1.5\n", "orders.csv")
    with subprocess.Popen(
        [*command_line.COMMAND, "check", orders, "--as-of", "1998-01-02", "--json"],
        env=command_line.around(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as command:  # fmt: skip
        assert command.stdout is not None
        assert command.stderr is not None
        command.stdout.close()
        assert command.stderr.read() == ""
    assert command.returncode == 1


def test_a_demo_that_cannot_write_its_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    done = command_line.run("demo", "--folder", tmp_path / "file" / "demo", cwd=tmp_path)
    kind, text = command_line.refusal(done)
    assert kind == "CannotWrite"
    assert "the file cannot be written: not a directory" in text
    assert text.rstrip().endswith("Hint: pass --folder a place that this user may write to")
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("limit", [0, -1])
def test_a_number_of_runs_below_one_is_wrong_usage(limit: int, tmp_path: Path) -> None:
    done = command_line.run("runs", f"--limit={limit}", cwd=tmp_path)
    assert done.returncode == 2
    assert "Invalid value for '--limit': Input should be greater than or equal to 1" in done.stderr
    assert not list(tmp_path.iterdir())
