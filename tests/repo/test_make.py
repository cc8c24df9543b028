"""The commands by which people, hooks and CI do the same things."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.repo import tree

MAKEFILE = (tree.ROOT / "Makefile").read_text(encoding="utf-8")
DESIGNED = {"setup", "demo", "test", "check", "bench", "docs", "train", "score", "serve", "ui", "clean", "lock"}


def make(*words: str) -> subprocess.CompletedProcess[str]:
    # Under `make test` an outer make has left its own flags in the environment.
    quiet = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    return subprocess.run(["make", *words], cwd=tree.ROOT, env=quiet, capture_output=True, text=True, check=False)


def test_there_are_at_most_twelve_commands_each_with_its_sentence() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, flags=re.MULTILINE)
    commands = {name for name in phony.split() if not name.startswith(".")}
    assert commands == DESIGNED == set(re.findall(r"^([a-z]+):.*## ", MAKEFILE, flags=re.MULTILINE))
    assert len(commands) <= 12


def test_make_alone_and_make_help_list_the_commands() -> None:
    for answer in (make(), make("help")):
        assert answer.returncode == 0
        assert set(re.findall(r"^  make (\w+)", answer.stdout, flags=re.MULTILINE)) == DESIGNED


def test_an_unknown_command_is_an_error_that_lists_the_known() -> None:
    answer = make("tset")
    assert answer.returncode == 2
    assert "There is no make tset." in answer.stdout
    assert "make test" in answer.stdout


def test_without_a_python_setup_says_so_in_one_sentence(tmp_path: Path) -> None:
    answer = make("setup", f"VENV={tmp_path / 'venv'}", "PYTHON=no-such-python")
    assert answer.returncode == 2
    assert answer.stdout.strip() == (
        "No no-such-python here: install Python 3.11 or newer, or run make PYTHON=/path/to/python3.11."
    )


def test_without_a_table_train_and_score_say_how_to_name_one() -> None:
    assert "make -n" not in MAKEFILE
    for command in ("train", "score"):
        shown = make("--dry-run", "--assume-old=.venv/.synced", command)
        assert f"make {command} DATA=" in shown.stdout


def test_every_make_command_that_a_page_shows_exists() -> None:
    shown = {
        name: re.findall(r"(?:`|^\s*(?:\$ )?)make ([a-z]+)", p.read_text(), re.MULTILINE) for p, name in named_pages()
    }
    unknown = {name: set(commands) - DESIGNED - {"help"} for name, commands in shown.items()}
    assert not {name: commands for name, commands in unknown.items() if commands}


def named_pages() -> list[tuple[Path, str]]:
    return [(page, tree.name(page)) for page in tree.pages()]


def test_ci_does_by_make_what_a_person_does() -> None:
    script = tree.ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    text = script.read_text(encoding="utf-8")
    assert "set -euo pipefail" in text
    for command in ("setup", "check", "test", "docs", "demo"):
        assert f"make {command}\n" in text
