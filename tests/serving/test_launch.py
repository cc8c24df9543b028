from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from contract import errors
from serving import launch
from tests.serving.asking import JSON, asked, customer, purchase

ROOT = Path(launch.__file__).parents[1]
SECONDS_TO_START = 120


def test_an_edited_bundle_is_not_served(served: Path, tmp_path: Path) -> None:
    edited = tmp_path / "bundle"
    edited.mkdir()
    for file in served.iterdir():
        (edited / file.name).write_bytes(file.read_bytes())
    (edited / "scorecard.json").write_text("{}")
    with pytest.raises(errors.BundleRefused, match="not what the manifest says"):
        launch.run(edited, "127.0.0.1", free_port())


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.7", "::", "example.org", ""])
def test_it_listens_on_this_machine_only(served: Path, host: str) -> None:
    with pytest.raises(errors.BadInput, match="no keys yet") as caught:
        launch.run(served, host, 3000)
    assert "reverse proxy" in caught.value.hint


def test_a_port_in_use_is_named(served: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(errors.BadInput, match="port cannot be used"):
            launch.run(served, "127.0.0.1", taken.getsockname()[1])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def started(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("TIERCAST_")},
    )  # fmt: skip


def wait_until_ready(server: subprocess.Popen[str], address: str) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/readyz", timeout=5).close()  # noqa: S310
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    server.kill()
    pytest.fail(f"no answer from {address}: {server.communicate()[0]}")


LAUNCH = """
import pathlib, sys
from serving import launch
sys.exit(launch.run(pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_started_server_answers_and_ends_cleanly_when_told_to(served: Path, number: signal.Signals) -> None:
    port = free_port()
    server = started(LAUNCH, str(served), "localhost", str(port))
    wait_until_ready(server, f"http://127.0.0.1:{port}")
    body = json.dumps(asked(customer("c-00917", purchase()))).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/score", body, JSON)
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        assert json.load(answer)["scores"][0]["customer_id"] == "c-00917"
    server.send_signal(number)
    told, _ = server.communicate(timeout=60)
    assert server.returncode == 0, told
    assert "c-00917" not in told
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))


@pytest.mark.slow
def test_bentoml_itself_refuses_a_bad_bundle_with_our_words_and_exit_code_2(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bentoml", "serve", launch.SERVICE, "--port", str(free_port())]
    environment = {**os.environ, "TIERCAST_BUNDLE": str(tmp_path), "BENTOML_HOME": str(tmp_path / "home")}
    environment["PROMETHEUS_MULTIPROC_DIR"] = str(tmp_path / "metrics")
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 2, ended.stderr
    assert "BundleRefused: there is no readable bundle" in ended.stderr
    assert "Hint:" in ended.stderr
