"""Sending a file while it is made: no faster than the caller takes it, and no longer than there is a caller."""

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
SECONDS_A_PIECE, SECONDS_IN_ALL = 30.0, 1_800.0
THREADS = 4


class Stream(Response):
    """`rest` is made in threads, piece by piece; `held` is closed when nobody needs it any more."""

    def __init__(
        self, first: bytes, rest: Iterator[bytes], held: contextlib.ExitStack, media: str, headers: Mapping[str, str]
    ) -> None:
        self.media_type, self.status_code, self.background = media, 200, None
        self._first, self._rest, self._held = first, rest, held
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        failed: Exception | None = None
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_end_when_gone, receive, group.cancel_scope)
                try:
                    await self._send_all(send)
                except Exception as error:  # told outside of the group, which would wrap it
                    failed = error
                group.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._close, limiter=_limiter())
        if failed is not None:
            raise failed

    async def _send_all(self, send: Send) -> None:
        """All pieces. A caller who takes them too slowly gets no end, so that the file cannot pass for a whole one."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            with anyio.fail_after(SECONDS_IN_ALL):
                piece: bytes | None = self._first
                while piece is not None:
                    await _send_slowly(send, piece)
                    piece = await anyio.to_thread.run_sync(next, self._rest, None, limiter=_limiter())
        except TimeoutError:
            json_log.logger.warning("an export was taken too slowly and was broken off")
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _close(self) -> None:
        close = getattr(self._rest, "close", None)
        if close is not None:
            close()
        self._held.close()


async def _send_slowly(send: Send, piece: bytes) -> None:
    for start in range(0, len(piece), PIECE):
        with anyio.fail_after(SECONDS_A_PIECE):
            await send({"type": "http.response.body", "body": piece[start : start + PIECE], "more_body": True})


async def _end_when_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


@functools.cache
def _limiter() -> anyio.CapacityLimiter:
    return anyio.CapacityLimiter(THREADS)
