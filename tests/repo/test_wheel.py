"""The wheel holds `tiercast` with the seven packages, their types and data, and nothing else."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests import built_wheel
from tests.repo import tree

EXECUTABLE = (".pkl", ".pickle", ".joblib", ".dill", ".skops", ".so", ".pyc", ".exe")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(built_wheel.build(tmp_path_factory.mktemp("wheel")))


def inside(wheel: zipfile.ZipFile) -> set[str]:
    """Names of the files in the wheel, without its own metadata."""
    return {name for name in wheel.namelist() if ".dist-info/" not in name}


def metadata(wheel: zipfile.ZipFile, name: str) -> str:
    (entry,) = [each for each in wheel.namelist() if each.endswith(f".dist-info/{name}")]
    return wheel.read(entry).decode("utf-8")


def test_the_wheel_holds_every_file_of_the_seven_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    ours = {tree.installed(path) for path in tree.files() if path.relative_to(tree.ROOT).parts[0] in tree.PACKAGES}
    assert inside(wheel) == ours


def test_the_wheel_has_one_import_name(wheel: zipfile.ZipFile) -> None:
    assert {name.partition("/")[0] for name in inside(wheel)} == {"tiercast"}


def test_every_package_in_the_wheel_is_typed(wheel: zipfile.ZipFile) -> None:
    assert {tree.installed(tree.ROOT / package / "py.typed") for package in tree.PACKAGES} <= inside(wheel)


def test_the_wheel_holds_no_tests_and_nothing_that_executes_on_loading(wheel: zipfile.ZipFile) -> None:
    names = inside(wheel)
    assert not [name for name in names if Path(name).suffix in EXECUTABLE]
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "examples/", "docs/"))]


def test_the_wheel_brings_the_command_the_license_and_the_extras(wheel: zipfile.ZipFile) -> None:
    assert "tiercast = tiercast.cli:main" in metadata(wheel, "entry_points.txt")
    assert any(name.endswith("/licenses/LICENSE") for name in wheel.namelist())
    described = metadata(wheel, "METADATA")
    assert "License-Expression: Apache-2.0" in described
    assert {"Provides-Extra: train", "Provides-Extra: serve"} <= set(described.splitlines())
