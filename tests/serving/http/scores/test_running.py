"""The service as it runs in production, with a store: one process, real sockets."""

from __future__ import annotations

import http.client
import json
import pathlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from benchmarks import lookup, scored_base
from tests.serving.test_launch import ROOT, free_port, wait_until_ready
from tiercast.serving.http.scores import store_pool
from tiercast.serving.store import database, publish

PEOPLE = 100_000


class Running(NamedTuple):
    """A running service: where, its worker process, and the file that it logs to."""

    port: int
    worker: int
    log: Path

    def search(self, **filters: Any) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        body, kind = json.dumps(filters), {"Content-Type": "application/json"}
        connection.request("POST", "/v1/customers/search", body, kind)
        return connection.getresponse()


@pytest.fixture(scope="module")
def running(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder, port = tmp_path_factory.mktemp("running"), free_port()
    store = str(folder / "scores.db")
    publish.publish(database.open(store, create=True), str(scored_base.write(folder / "scores.parquet", PEOPLE)))
    command = [sys.executable, "-m", "tiercast.cli", "serve", "--bundle", str(served), "--store", store]
    log = folder / "server.log"
    with (
        log.open("w") as measured,
        subprocess.Popen(
            [*command, "--port", str(port)], stdout=measured, stderr=subprocess.STDOUT, text=True, cwd=ROOT
        ) as server,
    ):
        try:
            wait_until_ready(server, f"http://127.0.0.1:{port}")
            yield Running(port, lookup.largest(server.pid), log)
        finally:
            server.terminate()


@pytest.mark.slow
def test_the_memory_of_an_export_does_not_grow_with_the_customers(running: Running) -> None:
    """Seven slices of the base need no more than two: the other five would take 100 MiB and more as objects."""
    running.search(tiers=["D"], format="csv").read()
    before = lookup.resident_mib(running.worker)
    lines, peak = 0, before
    response = running.search(format="csv")
    while part := response.read(1 << 20):
        lines += part.count(b"\n")
        peak = max(peak, lookup.resident_mib(running.worker))
    assert lines == PEOPLE + 1
    assert peak - before < 40


@pytest.mark.slow
def test_disconnected_clients_free_their_exports(running: Running) -> None:
    for _ in range(3):
        gone = [running.search(format="csv") for _ in range(store_pool.MAX_EXPORTS)]
        for response in gone:
            assert response.status == 200
            response.read(1000)
        assert running.search(format="csv").status == 503
        for response in gone:
            response.close()  # the rest of the file is never taken
        until = time.monotonic() + 20
        while (response := running.search(format="csv", tiers=["A"])).status == 503 and time.monotonic() < until:
            time.sleep(0.1)
        assert response.read().count(b"\n") > 1000
    assert '"level": "error"' not in running.log.read_text()
    assert "c-0000" not in running.log.read_text()


def test_worker_memory_is_what_linux_reports() -> None:
    import os

    pages = int(pathlib.Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    measured = lookup.resident_mib(os.getpid())
    assert measured == pytest.approx(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, rel=0.1)
