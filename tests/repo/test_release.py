"""One version everywhere, a lock that installs anywhere, and no trace of the machine it was made on."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from functools import cache
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import tiercast
from tests.repo import tree

# In brackets, so that these patterns do not find themselves.
MACHINE = re.compile(r"(?<![\w.])/(?:wor[k]|far[m]|roo[t]|hom[e]|User[s])/\w|(?<![\w.])/tm[p]/\w+/")
INDEX = re.compile(r"pypi\.or[g]|pythonhosted\.or[g]|--(?:extra-)?index-ur[l]\b|--find-link[s]\b")
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)", re.MULTILINE)


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((tree.ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@cache
def lock() -> str:
    return (tree.ROOT / "requirements.lock").read_text(encoding="utf-8")


def requirements() -> list[Requirement]:
    """Everything that pyproject.toml asks for, extras and the dev group included."""
    asked = [*project()["project"]["dependencies"], *project()["dependency-groups"]["dev"]]
    for extra in project()["project"]["optional-dependencies"].values():
        asked += extra
    return [Requirement(each) for each in asked]


def texts() -> dict[str, str]:
    """Every text file of the project by name."""
    read: dict[str, str] = {}
    for path in tree.files():
        content = path.read_bytes()
        if b"\0" not in content:
            read[tree.name(path)] = content.decode("utf-8")
    return read


def found(pattern: re.Pattern[str]) -> dict[str, str]:
    hits = {name: pattern.search(text) for name, text in texts().items()}
    return {name: hit.group() for name, hit in hits.items() if hit}


def configured_hosts() -> set[str]:
    """The hosts of the package indexes that pip on this machine is set up for."""
    asked = [sys.executable, "-m", "pip", "config", "list"]
    told = subprocess.run(asked, check=False, capture_output=True, text=True).stdout
    return set(re.findall(r"https?://(?:[^/@\s]*@)?([^/:\s'\"]+)", told))


def test_the_version_is_the_newest_of_the_changelog_and_the_one_the_package_tells() -> None:
    changelog = (tree.ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\d+\.\d+\.\d+)", changelog, flags=re.MULTILINE)
    assert newest
    assert project()["project"]["version"] == newest.group(1) == tiercast.__version__


def test_the_lock_pins_what_the_project_asks_for() -> None:
    pins = {canonicalize_name(pin["name"]): pin["version"] for pin in PIN.finditer(lock())}
    for asked in requirements():
        assert asked.specifier.contains(pins[canonicalize_name(asked.name)], prereleases=True), str(asked)


def test_every_pin_of_the_lock_carries_a_hash() -> None:
    blocks = re.split(r"\n(?=[A-Za-z0-9])", lock().strip())
    assert len(blocks) > 100
    assert not [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block]


def test_the_lock_names_no_host() -> None:
    assert "://" not in lock()
    assert not INDEX.search(lock())


def test_no_file_names_a_package_index() -> None:
    assert not found(INDEX)
    for host in configured_hosts():
        assert not found(re.compile(re.escape(host))), "the host of this machine's package index"


def test_no_file_holds_a_path_of_one_machine() -> None:
    assert not found(MACHINE)


def test_the_patterns_find_what_they_look_for() -> None:
    assert MACHINE.search("open('/" + "home/ada/x')")
    assert MACHINE.search("cd /" + "work/main")
    assert not MACHINE.search("docs/work/main")
    assert INDEX.search("https://" + "pypi" + ".org/simple")


def test_nothing_is_left_open_in_the_code() -> None:
    left = re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X])\b|NotImplementedErro[r]")
    assert not {name: hit for name, hit in found(left).items() if name.endswith((".py", ".md", ".toml"))}
