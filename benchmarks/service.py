"""The service beside what a team would use instead, in one run: requests per second and times to answer.

    python -m benchmarks service

Three servers get the same customers of a simulated shop, one after the other, from a load generator in a process of
its own: `mlflow models serve` on the registered model, which is sent finished features because it cannot make them;
Starlette and uvicorn around our scoring function; and `tiercast serve`. All on this machine, loopback, HTTP/1.1.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pyarrow import parquet

from benchmarks import load, score_memory
from benchmarks.load import Load, Measured
from tiercast.features import build, reading
from tiercast.features.engines.duckdb import Engine
from tiercast.models.bundle import Bundle
from tiercast.training import train
from tiercast.training.tracking import log_run, store

ONES, THOUSANDS = 300, 6
AT_ONCE, LARGE_AT_ONCE = 16, 8  # callers; fewer large ones may all be connected to the same of two workers
WARM_SECONDS, SECONDS = 3.0, 6.0
STARTED_WITHIN = 120.0


class Side(NamedTuple):
    """One server: its command, where it takes scores, and the bodies for one and for a thousand customers."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]
    path: str
    ones: tuple[str, ...]
    thousands: tuple[str, ...]


class Result(NamedTuple):
    """One customer per request, one caller and sixteen; random arrivals at half of that rate; a thousand customers."""

    name: str
    alone: Measured
    top: Measured
    half: Measured
    thousand: Measured


def measure(on_step: score_memory.OnStep = lambda _: None) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="tiercast-service-") as scratch:
        folder = pathlib.Path(scratch)
        on_step(f"training on {score_memory.TRAINED_ON:,} simulated customers")
        return [_measured(side, on_step) for side in _sides(folder)]


def _sides(folder: pathlib.Path) -> list[Side]:
    orders, _ = score_memory.base(folder, score_memory.TRAINED_ON)
    environment = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}"}
    os.environ |= environment
    store.connect()
    with Engine() as engine:
        read = reading.read(engine, reading.Sources(str(orders)), score_memory.AS_OF)
        trained = train.train(engine, read, score_memory.SETTINGS)
        bundle = trained.bundle
        features = engine.con.to_pandas(build.build(read.tables, score_memory.AS_OF, bundle.spec).limit(6_000))
    log_run.log(trained, folder / "bundle", register=True)
    rows = features.astype(object).where(features.notna(), None)
    split = [{"dataframe_split": rows.iloc[start:stop].to_dict(orient="split")} for start, stop in _spans(len(rows))]
    ours = _bodies(folder, "orders", _requests(orders, bundle))
    theirs = _bodies(folder, "features", split)
    serve = (sys.executable, "-m", "tiercast.cli", "serve", "--bundle", str(folder / "bundle"), "--rate", "0", "--port")
    bare = (sys.executable, "-m", "benchmarks.bare_service", str(folder / "bundle"))
    program = str(pathlib.Path(sys.executable).with_name("mlflow"))
    model = ("--model-uri", "models:/tiercast@challenger", "--env-manager", "local")
    mlflow = (program, "models", "serve", *model, "--port")
    return [
        Side("`mlflow models serve`, features given", mlflow, environment, "/invocations", *theirs),
        Side("bare Starlette, same scoring function", bare, {}, "/v1/score", *ours),
        Side("`tiercast serve`", serve, {}, "/v1/score", *ours),
        Side("`tiercast serve`, 2 workers", serve, {"TIERCAST_WORKERS": "2"}, "/v1/score", *ours),
    ]


def _spans(n: int) -> list[tuple[int, int]]:
    """Rows of single customers first, then of a thousand at a time."""
    return [(k, k + 1) for k in range(ONES)] + [(k * 1000, (k + 1) * 1000) for k in range(min(THOUSANDS, n // 1000))]


def _requests(orders: pathlib.Path, bundle: Bundle) -> list[dict[str, Any]]:
    """The same customers with all their lines."""
    people: dict[str, list[dict[str, Any]]] = {}
    wanted = {"ordered_at", "amount", *bundle.spec.columns}
    for row in parquet.read_table(orders).to_pylist():
        line = {name: row[name] for name in wanted}
        people.setdefault(row["customer_id"], []).append({**line, "ordered_at": row["ordered_at"].isoformat()})
    customers = [{"customer_id": key, "transactions": lines} for key, lines in people.items()]
    as_of = score_memory.AS_OF.isoformat()
    return [{"as_of": as_of, "customers": customers[start:stop]} for start, stop in _spans(len(customers))]


def _bodies(folder: pathlib.Path, name: str, bodies: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, ...], ...]:
    """Paths of the bodies as files: for one customer, and for a thousand."""
    paths = [folder / f"{name}-{number}.json" for number in range(len(bodies))]
    for path, body in zip(paths, bodies, strict=True):
        path.write_text(json.dumps(body), encoding="utf-8")
    texts = tuple(map(str, paths))
    return texts[:ONES], texts[ONES:]


def _measured(side: Side, on_step: score_memory.OnStep) -> Result:
    on_step(f"measuring {side.name}")
    port = _free_port()
    with _running(side, port):
        ones, thousands = (Load(port, side.path, bodies, SECONDS) for bodies in (side.ones, side.thousands))
        load.run(ones._replace(seconds=WARM_SECONDS, at_once=4))
        alone, top = (load.run(ones._replace(at_once=n)) for n in (1, AT_ONCE))
        half = load.run(ones._replace(rate=top.per_second / 2))
        thousand = load.run(thousands._replace(at_once=LARGE_AT_ONCE))
    return Result(side.name, alone, top, half, thousand)


@contextlib.contextmanager
def _running(side: Side, port: int) -> Iterator[None]:
    root = str(pathlib.Path(__file__).resolve().parents[1])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": root, **side.environment}
    environment["PATH"] = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(
            [*side.command, str(port)], env=environment, stdout=output, stderr=output, start_new_session=True
        ) as server,
    ):
        try:
            _wait_for(side, port, server)
            yield
        finally:
            os.killpg(server.pid, signal.SIGTERM)


def _wait_for(side: Side, port: int, server: subprocess.Popen[bytes]) -> None:
    """Return once a request gets a response of status 200."""
    body = pathlib.Path(side.ones[0]).read_bytes()
    deadline, text = time.monotonic() + STARTED_WITHIN, ""
    while time.monotonic() < deadline and server.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("POST", side.path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read().decode()
            if response.status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.3)
    raise RuntimeError(f"{side.name} does not answer: {text[:300]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def markdown(results: Sequence[Result]) -> list[str]:
    """The table, and the ratios that are promised."""
    columns = ("", "requests/s, 1 caller", "p50, p99", "requests/s, 16 callers", "p99 at half of that")
    head = f"| {' | '.join(columns)} | 1,000 customers, {LARGE_AT_ONCE} callers: customers/s |"
    mlflow, bare, ours, *_ = results  # the first of ours has one process, as the other two have
    return [
        head,
        "|---|--:|--:|--:|--:|--:|",
        *map(_row, results),
        "",
        f"One customer, 16 callers: {ours.name} answers {ours.top.per_second / mlflow.top.per_second:.1f} × as many as "
        f"`mlflow models serve` and {ours.top.per_second / bare.top.per_second:.1f} × as many as bare Starlette; "
        f"one caller: {ours.alone.per_second / mlflow.alone.per_second:.1f} × and "
        f"{ours.alone.per_second / bare.alone.per_second:.1f} ×. "
        f"Failed requests: {sum(each.failed for result in results for each in result[1:])}.",
    ]


def _row(result: Result) -> str:
    alone, top, half, thousand = result[1:]
    return (
        f"| {result.name} | {alone.per_second:,.0f} | {alone.p50_ms:.0f}, {alone.p99_ms:.0f} ms "
        f"| {top.per_second:,.0f} | {half.p99_ms:.0f} ms | {thousand.per_second * 1000:,.0f} |"
    )
