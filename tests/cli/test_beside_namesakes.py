"""The installed wheel works in a folder that has its own `models/`, `serving/`, ..., as most ML repositories do."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests import built_wheel, cdnow_table
from tests.repo import tree
from tiercast.training.tracking.log_run import LoggedRun

NAMESAKES = ("contract", "features", "models", "serving", "tiers", "training")
IMPORT_ALL = """
import importlib, pkgutil, sys, tiercast
names = [each.name for each in pkgutil.walk_packages(tiercast.__path__, "tiercast.")]
for name in names:
    importlib.import_module(name)
ours = [module.__file__ for name, module in sys.modules.items() if name.partition(".")[0] == "tiercast"]
print(len(names), all(file.startswith(sys.argv[1]) for file in ours))
"""
PREDICT = """
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/tiercast@challenger")
print(*model.predict(model.input_example)["tier"])
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the unpacked wheel, as `pip install --target` makes it."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(built_wheel.build(tmp_path_factory.mktemp("wheel"))) as wheel:
        wheel.extractall(folder)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder of namesakes; importing any of them ends the program."""
    for name in NAMESAKES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise SystemExit('imported the {name}/ of the project')\n")
    return tmp_path


def run(site: Path, project: Path, *arguments: str) -> str:
    """What Python prints in the folder of namesakes, which comes first on its path, with the wheel after it."""
    environment = os.environ | {"PYTHONPATH": str(site)}
    for name in ("MLFLOW_TRACKING_URI", "PYTHONSAFEPATH"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, *arguments], cwd=project, env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_namesakes_come_first(site: Path, project: Path) -> None:
    with pytest.raises(AssertionError, match="imported the models/ of the project"):
        run(site, project, "-c", "import models")


def test_the_command_line_works(site: Path, project: Path) -> None:
    assert "Usage: " in run(site, project, "-m", "tiercast.cli", "--help")


def test_every_module_is_imported_from_the_wheel(site: Path, project: Path) -> None:
    count, is_all_ours = run(site, project, "-c", IMPORT_ALL, str(site)).split()[-2:]
    assert int(count) == len(tree.modules(*tree.PACKAGES)) - 1  # `tiercast` is not below itself
    assert is_all_ours == "True"


def test_a_bundle_scores(site: Path, project: Path, written: tuple[Path, LoggedRun]) -> None:
    folder, _ = written
    orders = cdnow_table.write_parquet(project / "orders.parquet")
    words = ("score", str(orders), "--as-of", "1998-07-01", "--bundle", str(folder / "bundle"), "--out", "s.parquet")
    assert "customers scored as of 1998-07-01" in run(site, project, "-m", "tiercast.cli", *words)
    assert pq.read_metadata(project / "s.parquet").num_rows == 23_570


def test_a_registered_model_is_loaded_by_mlflow(site: Path, project: Path, written: tuple[Path, LoggedRun]) -> None:
    database = written[0] / "mlruns" / "mlflow.db"
    tiers = run(site, project, "-c", PREDICT, f"sqlite:///{database}").split()
    assert len(tiers) == 2
    assert set(tiers) <= set("ABCDE")
