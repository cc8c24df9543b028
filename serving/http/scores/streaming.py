"""Sending a file while it is written: no faster than the client reads it, and only while the client is there."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping

import anyio
import anyio.to_thread
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tiercast.serving import json_log

PIECE = 1 << 18
MAX_SECONDS_PER_PIECE, MAX_SECONDS = 30.0, 1_800.0
THREADS = 4


class ExportResponse(Response):
    """A response in pieces. `rest` is iterated in threads; `resources` is closed at the end."""

    def __init__(
        self,
        first: bytes,
        rest: Iterator[bytes],
        resources: contextlib.ExitStack,
        media_type: str,
        headers: Mapping[str, str],
    ) -> None:
        self.media_type, self.status_code, self.background = media_type, 200, None
        self._first, self._rest, self._resources = first, rest, resources
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        failed: Exception | None = None
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_end_when_gone, receive, group.cancel_scope)
                try:
                    await self._send_all(send)
                except Exception as error:  # raised outside of the group, which would wrap it
                    failed = error
                group.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._close, limiter=_limiter())
        if failed is not None:
            raise failed

    async def _send_all(self, send: Send) -> None:
        """Send all pieces. A client that reads too slowly gets no last chunk, so that it notices the missing part."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            with anyio.fail_after(MAX_SECONDS):
                piece: bytes | None = self._first
                while piece is not None:
                    await _send_slowly(send, piece)
                    piece = await anyio.to_thread.run_sync(next, self._rest, None, limiter=_limiter())
        except TimeoutError:
            json_log.logger.warning("an export was read too slowly and was cut off")
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _close(self) -> None:
        close = getattr(self._rest, "close", None)
        if close is not None:
            close()
        self._resources.close()


async def _send_slowly(send: Send, piece: bytes) -> None:
    for start in range(0, len(piece), PIECE):
        with anyio.fail_after(MAX_SECONDS_PER_PIECE):
            await send({"type": "http.response.body", "body": piece[start : start + PIECE], "more_body": True})


async def _end_when_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


@functools.cache
def _limiter() -> anyio.CapacityLimiter:
    return anyio.CapacityLimiter(THREADS)
