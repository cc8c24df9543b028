"""A load generator for one address, as a process of its own: HTTP/1.1 over sockets that stay open.

    echo '{"port": 3000, "path": "/v1/score", "bodies": ["a.json"], "seconds": 5, "at_once": 16}' |
        python -m benchmarks.load

`at_once` clients send a request after each response (closed loop); or `rate` requests per second arrive at random
moments, whether or not earlier ones have a response (open loop). The time of a response counts from when the
request was due, so a server that falls behind cannot hide it. Every library client takes longer per request than some
of the servers measured here, hence the bare sockets.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import pathlib
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

COMMAND = (sys.executable, "-m", "benchmarks.load")
MOST_CONNECTIONS = 256


class Load(NamedTuple):
    """What to send where; exactly one of `at_once` and `rate` is given."""

    port: int
    path: str
    bodies: tuple[str, ...]
    seconds: float
    at_once: int = 0
    rate: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()


class Measured(NamedTuple):
    """Requests answered with 200 per second, how many were not, and times to answer in milliseconds."""

    per_second: float
    failed: int
    p50_ms: float
    p99_ms: float


def run(load: Load) -> Measured:
    """Measure in a process of its own."""
    request = json.dumps(load._asdict())
    done = subprocess.run(COMMAND, input=request, capture_output=True, text=True, check=True)
    return Measured(**json.loads(done.stdout))


class Connection:
    """One open socket; one request at a time."""

    def __init__(self, port: int) -> None:
        self._port, self._is_over = port, False

    @classmethod
    async def open(cls, port: int) -> Connection:
        connection = cls(port)
        await connection._open()
        return connection

    async def _open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)

    async def send(self, request: bytes) -> int:
        """The status of the response, once all of it is here."""
        if self._is_over or self._reader.at_eof():  # closed by the server, after a response or between requests
            self.close()
            await self._open()
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        self._is_over = b"\r\nconnection: close" in head
        await self._body(head)
        return int(head.split(b" ", 2)[1])

    async def _body(self, head: bytes) -> None:
        _, found, rest = head.partition(b"content-length:")
        if found:
            await self._reader.readexactly(int(rest.split(b"\r\n", 1)[0]))
            return
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            await self._reader.readexactly(size + 2)
        await self._reader.readexactly(2)

    def close(self) -> None:
        self._writer.close()


class Tally:
    """Times of good answers, in seconds, and the number of the others."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.failed = 0

    def add(self, status: int, since: float) -> None:
        if status == 200:
            self.times.append(time.perf_counter() - since)
        else:
            self.failed += 1

    def measured(self, seconds: float) -> Measured:
        p50, p99 = np.percentile(self.times, [50, 99]) * 1000 if self.times else (np.nan, np.nan)
        return Measured(len(self.times) / seconds, self.failed, float(p50), float(p99))


async def closed(load: Load, requests: Iterator[bytes]) -> Measured:
    tally, until = Tally(), time.perf_counter() + load.seconds

    async def client() -> None:
        connection = await Connection.open(load.port)
        while (now := time.perf_counter()) < until:
            tally.add(await connection.send(next(requests)), now)
        connection.close()

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(load.at_once)))
    return tally.measured(time.perf_counter() - started)


async def opened(load: Load, requests: Iterator[bytes]) -> Measured:
    tally, free, drawn = Tally(), asyncio.LifoQueue[Connection](), random.Random(1)
    for _ in range(MOST_CONNECTIONS):
        free.put_nowait(await Connection.open(load.port))

    async def one(due: float) -> None:
        connection = await free.get()
        tally.add(await connection.send(next(requests)), due)
        free.put_nowait(connection)

    due = started = time.perf_counter()
    tasks: list[asyncio.Task[None]] = []
    while (due := due + drawn.expovariate(load.rate)) < started + load.seconds:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(due)))
    await asyncio.gather(*tasks)
    return tally.measured(time.perf_counter() - started)


def _requests(load: Load) -> list[bytes]:
    bodies = [pathlib.Path(body).read_bytes() for body in load.bodies]
    extra = "".join(f"{name}: {value}\r\n" for name, value in load.headers)
    head = f"POST {load.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{extra}"
    return [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in bodies]


def main() -> None:
    fields: dict[str, Any] = json.loads(sys.stdin.read())
    pairs = tuple((str(name), str(value)) for name, value in fields.pop("headers"))
    load = Load(**{**fields, "bodies": tuple(fields["bodies"]), "headers": pairs})
    requests = itertools.cycle(_requests(load))
    found = asyncio.run(opened(load, requests) if load.rate else closed(load, requests))
    print(json.dumps(found._asdict()))


if __name__ == "__main__":
    main()
