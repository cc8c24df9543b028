"""What is deployed: files that their own tools accept, with nothing in them that trains."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repo import tree

DEPLOY = tree.ROOT / "deploy"
TOOLS = Path(sys.executable).parent
SERVED = set(tree.PACKAGES) - {"training"}
# What learns, draws or starts a cluster has no place where scores are only given out.
NEVER_SERVED = {"lifetimes", "matplotlib", "mlflow", "optuna", "pyspark", "scikit-learn"}


def tool(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(TOOLS / words[0]), *words[1:]], cwd=tree.ROOT, capture_output=True, text=True, check=False
    )


def pins(path: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    text = path.read_text(encoding="utf-8")
    for name, version in re.findall(r"^([\w.-]+)(?:\[.*\])?==([^\s;]+)", text, re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def test_the_dockerfile_is_one() -> None:
    answer = tool("hadolint", "deploy/Dockerfile")
    assert answer.returncode == 0, answer.stdout


def test_the_compose_file_is_one() -> None:
    answer = tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "deploy/compose.yaml")
    assert answer.returncode == 0, answer.stdout


def test_the_tools_would_say_if_they_were_not(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python\nRUN cd /tmp && sudo ls\n")
    (tmp_path / "compose.yaml").write_text("services:\n  a:\n    imagge: b\n")
    assert tool("hadolint", str(tmp_path / "Dockerfile")).returncode != 0
    compose = tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(tmp_path / "compose.yaml"))
    assert compose.returncode != 0


def test_the_image_holds_every_package_but_training() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert set(re.findall(r"^COPY (\w+) /app/\1$", dockerfile, re.MULTILINE)) == SERVED


def test_the_image_runs_what_was_tested_and_nothing_that_trains() -> None:
    image, tested = pins(DEPLOY / "requirements.txt"), pins(tree.ROOT / "requirements.lock")
    assert {"bentoml", "lightgbm", "psycopg", "sqlalchemy"} <= set(image)
    assert not NEVER_SERVED & set(image)
    strangers = {name: versions for name, versions in image.items() if not versions <= tested.get(name, set())}
    assert not strangers, "run make lock"


@pytest.mark.slow
def test_a_bento_holds_no_training(tmp_path: Path) -> None:
    home = tmp_path / "bentoml"
    built = subprocess.run(
        ["bash", str(DEPLOY / "bento.sh"), "--output", "tag"],
        cwd=tmp_path,
        env={"PATH": f"{TOOLS}:/usr/bin:/bin", "BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (service,) = home.glob("bentos/tiercast/*/src/tiercast/serving/http/bento.py")
    source = service.parents[3]
    assert {path.name for path in source.iterdir() if path.is_dir()} == {"tiercast", "deploy"}
    modules = {path.relative_to(source).as_posix() for path in source.rglob("*.py")}
    assert modules == {tree.installed(path) for path in tree.modules(*SERVED)}
