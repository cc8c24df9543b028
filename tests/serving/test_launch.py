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

from tests.serving.score_requests import JSON, customer, purchase, score_body
from tiercast.contract import errors
from tiercast.serving import launch
from tiercast.serving.access import keys
from tiercast.serving.store import database, migrations

ROOT = Path(launch.__file__).parents[2]
SECONDS_TO_START = 120


def test_an_edited_bundle_is_not_served(served: Path, tmp_path: Path) -> None:
    edited = tmp_path / "bundle"
    edited.mkdir()
    for file in served.iterdir():
        (edited / file.name).write_bytes(file.read_bytes())
    (edited / "scorecard.json").write_text("{}")
    with pytest.raises(errors.BundleRefused, match="not what the manifest says"):
        launch.run(edited, launch.prepare("127.0.0.1", free_port()))


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.7", "::", "example.org", ""])
def test_without_keys_it_listens_on_this_machine_only(host: str) -> None:
    with pytest.raises(errors.BadInput, match=r"without keys|no address"):
        launch.prepare(host, 3000)


def test_with_a_live_key_it_listens_for_others_and_warns_about_plain_http(tmp_path: Path) -> None:
    store = str(tmp_path / "scores.db")
    keys.add(database.open(store, create=True), "crm", ["read"])
    ready = launch.prepare("0.0.0.0", free_port(), store=store)
    assert ready.environment == {"TIERCAST_STORE": store, "TIERCAST_LOCAL": ""}
    assert "for callers with a key. Keys and responses travel in the clear" in ready.message


def test_a_store_without_a_key_leaves_this_machine_open_until_one_comes(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'scores.db'}"
    migrations.upgrade(database.open(store, create=True))
    ready = launch.prepare("localhost", free_port(), store=store, rate=3, audit=tmp_path / "audit.log")
    assert ready.environment == {
        "TIERCAST_STORE": store, "TIERCAST_LOCAL": "1", "TIERCAST_RATE": "3",
        "TIERCAST_AUDIT": str(tmp_path / "audit.log"),
    }  # fmt: skip
    assert "without keys, this machine only: the store has no key yet" in ready.message


@pytest.mark.parametrize("name", ["scores.db", "sqlite:///scores.db"])
def test_a_store_named_from_here_is_the_same_one_for_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    keys.add(database.open(name, create=True), "crm", ["read"])
    ready = launch.prepare("127.0.0.1", free_port(), store=name)
    monkeypatch.chdir("/")
    assert len(keys.list_keys(database.open(ready.environment["TIERCAST_STORE"]))) == 1


def test_settings_that_would_stop_every_worker_are_refused_before_one_starts(tmp_path: Path) -> None:
    with pytest.raises(errors.BadInput, match="TIERCAST_RATE"):
        launch.prepare("127.0.0.1", free_port(), rate=-1)
    with pytest.raises(errors.CannotWrite):
        launch.prepare("127.0.0.1", free_port(), audit=tmp_path / "no" / "audit.log")


def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(errors.BadInput, match="port cannot be used"):
            launch.prepare("127.0.0.1", taken.getsockname()[1])


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
    server.terminate()  # a kill would leave its workers behind, who hold the pipe
    pytest.fail(f"no answer from {address}: {server.communicate(timeout=60)[0]}")


LAUNCH = """
import pathlib, sys
from tiercast.serving import launch
from tiercast.serving.access import keys
from tiercast.serving.store import migrations
from tiercast.serving.store import database
sys.exit(launch.run(pathlib.Path(sys.argv[1]), launch.prepare(sys.argv[2], int(sys.argv[3]))))
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_started_server_responds_and_stops_cleanly_on_a_signal(served: Path, number: signal.Signals) -> None:
    port = free_port()
    server = started(LAUNCH, str(served), "localhost", str(port))
    wait_until_ready(server, f"http://127.0.0.1:{port}")
    body = json.dumps(score_body(customer("c-00917", purchase()))).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/score", body, JSON)
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        assert json.load(response)["scores"][0]["customer_id"] == "c-00917"
    server.send_signal(number)
    output, _ = server.communicate(timeout=60)
    assert server.returncode == 0, output
    assert "c-00917" not in output
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))


@pytest.mark.slow
def test_bentoml_itself_refuses_a_bad_bundle_with_our_words_and_exit_code_2(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bentoml", "serve", launch.SERVICE, "--port", str(free_port())]
    environment = {**os.environ, "TIERCAST_BUNDLE": str(tmp_path), "BENTOML_HOME": str(tmp_path / "home")}
    environment["TIERCAST_LOCAL"] = "1"
    environment["PROMETHEUS_MULTIPROC_DIR"] = str(tmp_path / "metrics")
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 2, ended.stderr
    assert "BundleRefused: there is no readable bundle" in ended.stderr
    assert "Hint:" in ended.stderr


@pytest.mark.slow
def test_bentoml_itself_starts_nothing_that_knows_neither_keys_nor_local_mode(served: Path, tmp_path: Path) -> None:
    """BentoML listens on every address unless told otherwise."""
    command = [sys.executable, "-m", "bentoml", "serve", launch.SERVICE, "--port", str(free_port())]
    around = {name: value for name, value in os.environ.items() if not name.startswith("TIERCAST_")}
    environment = {**around, "TIERCAST_BUNDLE": str(served), "BENTOML_HOME": str(tmp_path / "home")}
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 2, ended.stderr
    assert "BadInput: the service has no keys" in ended.stderr
