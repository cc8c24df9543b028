"""The manifests of a nightly run: their own tools accept them, and they act on the exit codes of the commands."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests import command_line
from tests.repo import tree

NIGHTLY = tree.ROOT / "deploy" / "nightly"
BAD_INPUT = 2


def bash(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A script with this installation's `tiercast` and `python` first on the path, and a registry of its own."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    around = {**command_line.around(), "PATH": path, "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/none.db"}
    return subprocess.run(["bash", *words], cwd=folder, env=around, capture_output=True, text=True, check=False)


def cronjob() -> dict[str, Any]:
    job: dict[str, Any] = yaml.safe_load((NIGHTLY / "cronjob.yaml").read_text(encoding="utf-8"))
    return job


def verify(*paths: Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd here")
    words = ["systemd-analyze", "verify", "--man=no", *map(str, paths)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.mark.may_skip("a container has no systemd")
def test_systemd_accepts_the_service_and_its_timer() -> None:
    names = ("tiercast-nightly.service", "tiercast-nightly.timer")
    result = verify(*(NIGHTLY / name for name in names))
    assert (result.returncode, [line for line in result.stderr.splitlines() if "tiercast" in line]) == (0, [])


@pytest.mark.may_skip("a container has no systemd")
def test_systemd_would_complain_of_a_wrong_line(tmp_path: Path) -> None:
    text = (NIGHTLY / "tiercast-nightly.service").read_text(encoding="utf-8")
    wrong = tmp_path / "wrong.service"
    wrong.write_text(text.replace("RestartPreventExitStatus", "RestartNever"), encoding="utf-8")
    assert "RestartNever" in verify(wrong).stderr


def test_bad_input_ends_the_script_with_the_code_that_systemd_does_not_retry(tmp_path: Path) -> None:
    script = str(NIGHTLY / "nightly.sh")
    assert bash(tmp_path, script).returncode == BAD_INPUT
    result = bash(tmp_path, script, "orders.parquet", "scores", "2024-07-31")
    assert result.returncode == BAD_INPUT, result.stderr
    assert "Hint: " in result.stderr
    assert not (tmp_path / "scores").exists()
    unit = configparser.ConfigParser(interpolation=None)
    unit.read(NIGHTLY / "tiercast-nightly.service", encoding="utf-8")
    assert unit["Service"]["RestartPreventExitStatus"] == str(BAD_INPUT)
    assert unit["Service"]["ExecStart"].split()[1].endswith("/nightly.sh")


def test_bad_input_ends_the_pod_with_the_code_that_fails_the_job_at_once(tmp_path: Path) -> None:
    job = cronjob()["spec"]["jobTemplate"]["spec"]
    (container,) = job["template"]["spec"]["containers"]
    (rule,) = job["podFailurePolicy"]["rules"]
    assert container["command"] == ["/bin/bash", "-ec"]
    result = bash(tmp_path, "-ec", *container["args"])
    assert result.returncode == BAD_INPUT, result.stderr
    assert "Hint: " in result.stderr
    expected = {"containerName": container["name"], "operator": "In", "values": [result.returncode]}
    assert (rule["action"], rule["onExitCodes"]) == ("FailJob", expected)
    assert job["template"]["spec"]["restartPolicy"] == "Never", "a pod failure policy needs it"
    mounts = {mount["name"] for mount in container["volumeMounts"]}
    assert mounts == {volume["name"] for volume in job["template"]["spec"]["volumes"]}


def test_the_pod_runs_as_the_user_of_the_image() -> None:
    dockerfile = (tree.ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    pod = cronjob()["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert f"\nUSER {pod['securityContext']['runAsUser']}\n" in dockerfile
