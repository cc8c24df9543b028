"""Batch jobs of a service as it runs in production: asked for over HTTP, and what becomes of them when it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests import scored_tables
from tests.scored_tables import AS_OF
from tests.serving.test_launch import free_port, wait_until_ready
from tiercast.serving.access import keys
from tiercast.serving.jobs import claims, job_queue
from tiercast.serving.store import database, generations, publish_lock

ROOT = Path(__file__).parents[2]
JOBS = """
[sources.shop]
transactions = "orders.parquet"
out = "shop-{as_of}.parquet"
publish = true
"""


class Shop:
    """A folder with orders, a store with one key, and the service that is started there."""

    def __init__(self, folder: Path, bundle: Path) -> None:
        self.folder, self.bundle, self.port = folder, bundle, free_port()
        self.store = database.open(f"sqlite:///{folder / 'scores.db'}", create=True)
        self.token = keys.add(self.store, "nightly", ["score", "read"])[1].text()
        scored_tables.write(folder, scored_tables.purchases())
        (folder / "jobs.toml").write_text(JOBS)

    @contextlib.contextmanager
    def served(self) -> Iterator[subprocess.Popen[str]]:
        """Relative paths, as somebody types them."""
        status = ("--bundle", str(self.bundle), "--store", "scores.db", "--jobs", "jobs.toml", "--port", str(self.port))
        around = {name: value for name, value in os.environ.items() if not name.startswith("TIERCAST_")}
        with (self.folder / "log").open("a") as log:
            server = subprocess.Popen(
                [sys.executable, "-m", "tiercast.cli", "serve", *status], cwd=self.folder, stdout=log, stderr=log,
                env={**around, "PYTHONPATH": str(ROOT), "TIERCAST_WORKERS": "2"}, text=True,
            )  # fmt: skip
            try:
                wait_until_ready(server, f"http://127.0.0.1:{self.port}")
                yield server
            finally:
                killed(server.pid)
                server.wait()

    def send(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            result: dict[str, Any] = json.load(response)
            return result

    def submitted(self) -> float:
        """How many jobs were accepted, by whichever of the two workers."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/metrics", headers={"Authorization": f"Bearer {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            (line,) = (line for line in response if line.startswith(b"tiercast_jobs_submitted_total "))
            return float(line.split()[1])

    def waits_to_publish(self, job_id: str) -> int:
        """The job's process, once its scores are written and the lock holds it."""
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            status = self.send("/v1/jobs/status", {"job_id": job_id})
            if (self.folder / f"shop-{AS_OF}.parquet").exists() and status["progress"] >= 0.8:
                pid = job_queue.get(self.store, job_id).pid
                assert pid is not None
                return pid
            time.sleep(0.2)
        pytest.fail(f"still {status}")


def killed(leader: int) -> None:
    """kill -9 to a process and whatever it started, but for what has a session of its own, as a job has."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for one in [*psutil.Process(leader).children(recursive=True), psutil.Process(leader)]:
            if "tiercast.serving.jobs.job_process" not in one.cmdline():
                one.kill()


def ended(pid: int, job_id: str) -> None:
    deadline = time.monotonic() + 60
    while claims.is_alive(pid, job_id) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not claims.is_alive(pid, job_id)


@pytest.mark.slow
def test_a_job_waits_for_the_next_service_after_a_stop_and_goes_on_by_itself_after_a_kill(
    served: Path, tmp_path: Path
) -> None:
    shop = Shop(tmp_path, served)
    wanted = {"source": "shop", "as_of": AS_OF.isoformat(), "idempotency_key": "nightly"}
    with publish_lock.held(shop.store):
        with shop.served() as server:
            job_id = shop.send("/v1/jobs/score", wanted)["job_id"]
            assert [shop.submitted() for _ in range(6)] == [1.0] * 6
            first = shop.waits_to_publish(job_id)
            server.send_signal(signal.SIGTERM)
            assert server.wait(60) == 0
            assert not claims.is_alive(first, job_id)
        (tmp_path / f"shop-{AS_OF}.parquet").unlink()
        with shop.served() as server:
            status = shop.send("/v1/jobs/score", wanted)
            assert (status["job_id"], status["attempts"]) == (job_id, 1)
            second = shop.waits_to_publish(job_id)
            killed(server.pid)
        assert claims.is_alive(second, job_id)
    ended(second, job_id)
    assert job_queue.get(shop.store, job_id).state == "done"
    assert generations.current(shop.store).as_of == AS_OF
    assert shop.token not in (tmp_path / "log").read_text()
