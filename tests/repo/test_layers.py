"""The import law of pyproject.toml holds, and it bites."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repo import tree

LINTER = str(Path(sys.executable).with_name("lint-imports"))

TRESPASSES = [
    ("layers", "contract/trespass.py", "import tiercast.cli"),
    ("layers", "models/trespass.py", "from tiercast import training"),
    ("layers", "training/trespass.py", "from tiercast import serving"),
    ("layers", "serving/trespass.py", "from tiercast import training"),
    ("layers", "tiers/trespass.py", "from tiercast import features"),
    ("training-layers", "training/windows/trespass.py", "from tiercast.training.fit import procedure"),
    ("training-layers", "training/fit/trespass.py", "from tiercast.training import judge"),
    ("training-layers", "training/judge/trespass.py", "import tiercast.training.tracking"),
    ("training-layers", "training/backtest/trespass.py", "from tiercast.training import comparison"),
    ("serving-layers", "serving/store/trespass.py", "from tiercast.serving import http"),
    ("serving-layers", "serving/model_manager/trespass.py", "import tiercast.serving.http.metrics"),
    ("serving-layers", "serving/online/trespass.py", "from tiercast.serving import model_manager"),
    ("serving-layers", "serving/jobs/trespass.py", "from tiercast.serving.model_manager import source"),
    ("serving-layers", "serving/http/trespass.py", "from tiercast.serving import launch"),
    ("http-layers", "serving/http/scores/trespass.py", "from tiercast.serving.http import routes"),
    ("labels", "serving/trespass.py", "import tiercast.features.labels"),
    ("labels", "tiercast/trespass.py", "from tiercast.features import labels"),
    ("labels", "features/trespass.py", "import tiercast.features.labels"),
    ("labels-indirect", "models/trespass.py", "def peek():\n    import tiercast.features.labels"),
    ("mlflow", "training/trespass.py", "import mlflow"),
    ("mlflow", "serving/trespass.py", "from mlflow.tracking import MlflowClient"),
    ("bentoml", "training/trespass.py", "import bentoml"),
    ("bentoml", "serving/http/scores/trespass.py", "import bentoml"),
    ("engines", "serving/trespass.py", "import duckdb"),
    ("databases", "serving/trespass.py", "import sqlalchemy"),
    ("databases", "features/trespass.py", "import psycopg"),
    ("pyspark", "training/trespass.py", "from pyspark.sql import SparkSession"),
    ("lifetimes", "models/trespass.py", "import lifetimes"),
    ("optuna", "training/trespass.py", "import optuna"),
    ("lightgbm", "tiers/trespass.py", "import lightgbm"),
]


def lint(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    asked = [LINTER, "--no-cache", "--no-logo", *options]
    return subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copied_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages and the law, copied to where a trespass does no harm."""
    house = tmp_path_factory.mktemp("house")
    for path in [tree.ROOT / "pyproject.toml", *tree.modules(*tree.PACKAGES)]:
        copy = house / path.relative_to(tree.ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    for package in set(tree.PACKAGES) - {"tiercast"}:
        (house / "tiercast" / package).symlink_to(house / package)
    return house


def test_every_import_obeys_the_law() -> None:
    answer = lint(tree.ROOT)
    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize(("contract", "module", "source"), TRESPASSES)
def test_a_forbidden_import_breaks_its_contract(copied_house: Path, contract: str, module: str, source: str) -> None:
    trespass = copied_house / module
    trespass.write_text(f"{source}\n", encoding="utf-8")
    try:
        answer = lint(copied_house, "--contract", contract)
    finally:
        trespass.unlink()
    assert answer.returncode == 1, answer.stdout
    assert tree.installed(tree.ROOT / module).removesuffix(".py").replace("/", ".") in answer.stdout
