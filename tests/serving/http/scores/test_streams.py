from __future__ import annotations

import asyncio
import contextlib
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from tiercast.serving.http.scores import streaming
from tiercast.serving.http.scores.streaming import ExportResponse


class Caller:
    """Takes what is sent: all of it, or until it goes away after some pieces."""

    def __init__(self, goes_after: int | None = None, waits: float = 0.0) -> None:
        self.goes_after, self.waits = goes_after, waits
        self.sent: list[dict[str, Any]] = []
        self.size = 0
        self.gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await asyncio.sleep(self.waits)
        self.size += len(message.get("body", b""))
        self.sent.append({name: part for name, part in message.items() if name != "body"})
        if self.goes_after is not None and len(self.sent) > self.goes_after:
            self.gone.set()
            await asyncio.sleep(60)  # nobody takes this one


class Made:
    """Pieces that note how many were made, and what became of what was held."""

    def __init__(self, n: int, size: int = 10) -> None:
        self.n, self.size, self.made, self.is_closed = n, size, 0, False

    def pieces(self) -> Iterator[bytes]:
        for _ in range(self.n):
            self.made += 1
            yield b"x" * self.size

    def stream(self) -> ExportResponse:
        held = contextlib.ExitStack()
        held.callback(setattr, self, "is_closed", True)
        return ExportResponse(b"first", self.pieces(), held, "text/csv", {"X-One": "1"})


def run(stream: ExportResponse, caller: Caller) -> None:
    asyncio.run(stream({"type": "http"}, caller.receive, caller.send))


def test_all_pieces_are_sent_and_then_an_end() -> None:
    made, caller = Made(3), Caller()
    run(made.stream(), caller)
    assert caller.size == 5 + 3 * 10
    assert [message.get("more_body") for message in caller.sent] == [None, True, True, True, True, False]
    assert made.is_closed


def test_nothing_more_is_written_after_the_client_disconnects() -> None:
    made, caller = Made(1_000), Caller(goes_after=5)
    run(made.stream(), caller)
    assert made.made <= 5
    assert made.is_closed
    assert caller.sent[-1].get("more_body") is not False


def test_a_client_that_reads_too_slowly_gets_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "MAX_SECONDS_PER_PIECE", 0.05)
    made, caller = Made(1_000), Caller(waits=0.2)
    run(made.stream(), caller)
    assert caller.size == 0
    assert made.is_closed


def test_an_error_half_way_sends_no_end_and_is_raised_unchanged() -> None:
    class Lost(Exception):
        pass

    def pieces() -> Iterator[bytes]:
        yield b"one"
        raise Lost

    caller, held = Caller(), contextlib.ExitStack()
    with pytest.raises(Lost):
        run(ExportResponse(b"", pieces(), held, "text/csv", {}), caller)
    assert caller.sent[-1].get("more_body") is True


def test_a_gigabyte_passes_through_a_few_megabytes() -> None:
    made, caller = Made(250, 1 << 22), Caller()
    tracemalloc.start()
    run(made.stream(), caller)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caller.size == 5 + 250 * (1 << 22)
    assert peak < 5 * (1 << 22)
