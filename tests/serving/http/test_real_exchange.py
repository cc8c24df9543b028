"""A service of two processes whose bundle is exchanged under load, with the registry away now and then."""

from __future__ import annotations

import collections
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.serving.model_manager.conftest import cache_of_this_test, registered
from tests.serving.score_requests import JSON, customer, purchase, score_body
from tests.serving.test_launch import ROOT, free_port, wait_until_ready

__all__ = ["cache_of_this_test", "registered"]


def serve(port: int, **settings: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tiercast.cli", "serve", "--model", "champion", "--rate", "0", "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **settings}
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, text=True, env=environment, cwd=ROOT
    )
    wait_until_ready(server, f"http://127.0.0.1:{port}")
    return server


def send(port: int, path: str, body: dict[str, Any] | None = None) -> Any:
    sent = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", sent, JSON)
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
        return json.load(response)


def stop(server: subprocess.Popen[str]) -> None:
    server.send_signal(signal.SIGTERM)
    assert server.wait(60) == 0


def serving_models(result: collections.Counter[str]) -> set[str]:
    """The models that answered within a second."""
    before = result.copy()
    time.sleep(1)
    return {model for model in result if result[model] > before[model]}


@pytest.mark.slow
def test_no_request_fails_while_the_bundle_is_exchanged_and_none_when_the_registry_is_away(
    registered: Callable[[str], str], mlruns: Path
) -> None:
    registered("first")
    port, result = free_port(), collections.Counter[str]()
    server = serve(port, TIERCAST_WORKERS="2", TIERCAST_POLL_SECONDS="0")
    over = threading.Event()

    def score(number: int) -> None:
        body = score_body(customer(f"c-{number}", purchase()))
        while not over.is_set():
            try:
                result[send(port, "/v1/score", body)["model"].partition("/")[0]] += 1
            except (OSError, urllib.error.URLError) as error:
                result[f"failed: {error}"] += 1

    threads = [threading.Thread(target=score, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        for name in ("second", "third"):
            registered(name)
            assert send(port, "/v1/admin/reload", {})["is_new"]
            deadline = time.monotonic() + 5
            while (latest := serving_models(result)) != {name} and time.monotonic() < deadline:
                pass
            assert latest == {name}  # in both processes
        (mlruns / "mlflow.db").rename(mlruns / "away.db")
        with pytest.raises(urllib.error.HTTPError) as refused:
            send(port, "/v1/admin/reload", {})
        assert refused.value.code == 409
        time.sleep(0.5)
    finally:
        over.set()
        for thread in threads:
            thread.join()
        stop(server)
    assert set(result) == {"first", "second", "third"}

    again = serve(port)
    try:
        assert send(port, "/v1/model")["model"].startswith("third")
        assert "no MLflow store" in send(port, "/readyz")["parts"]["bundle"]
    finally:
        stop(again)
