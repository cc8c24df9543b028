"""A gate before three small addresses, and callers who send it just what they like: no server, no bundle."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel, ConfigDict
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from tiercast.contract import errors
from tiercast.serving.access import keys
from tiercast.serving.http import app, endpoints, pages, readiness, request_context
from tiercast.serving.http.routes import JSON, Route
from tiercast.serving.store import database

ROLES = ("score", "read", "admin")


@dataclasses.dataclass
class Shelf:
    """Keys in a database that can be down."""

    kept: Sequence[keys.Key]
    is_down: bool = False

    def read(self) -> Sequence[keys.Key]:
        if self.is_down:
            raise errors.StoreUnavailable("the store does not answer", hint="wait")
        return self.kept


class Basket(BaseModel):
    """Something with a number in it."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    number: float
    names: list[str] = []


class Doubled(BaseModel):
    """Twice the number."""

    number: float


def double(basket: Basket) -> Doubled:
    request_context.count(len(basket.names))
    return Doubled(number=2 * basket.number)


def stream() -> StreamingResponse:
    return StreamingResponse((f"{n}\n" for n in range(3)), media_type="text/csv")


TABLE = (
    Route("/v1/double", "POST", ("score",), "Twice.", endpoints.asking(Basket, double), {JSON: Doubled}, Basket),
    Route("/v1/see", "GET", ("read",), "See.", endpoints.telling(lambda: {"seen": True}), {JSON: None}),
    Route("/v1/rows", "GET", ("read",), "Rows.", endpoints.telling(stream), {"text/csv": None}),
    Route("/v1/change", "POST", ("admin",), "Change.", endpoints.asking(Basket, double), {JSON: Doubled}, Basket),
    Route("/v1/within", "POST", ("score",), "BentoML's.", None, {JSON: None}, Basket),
    Route("/livez", "GET", (), "Alive.", pages.alive, {JSON: None}, is_probe=True),
    Route("/readyz", "GET", (), "Ready.", readiness.page, {JSON: None}, is_probe=True),
)


async def within(scope: Scope, receive: Receive, send: Send) -> None:
    """What lies behind the gate."""
    if scope["type"] == "http":
        await PlainTextResponse(str((await receive())["body"]))(scope, receive, send)


class Answered(NamedTuple):
    """An answer as it went over the wire."""

    status_code: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


class Caller:
    """Calls a gate; `tokens` has one per role."""

    def __init__(self, gate: app.Gate, tokens: dict[str, str], folder: Path) -> None:
        self.gate, self.tokens, self.folder = gate, tokens, folder

    def __call__(
        self, method: str, path: str, body: bytes | Sequence[bytes | float] = b"", *,
        role: str | None = None, headers: Sequence[tuple[bytes, bytes]] = (), host: bytes = b"127.0.0.1:3000",
        **scope: Any,
    ) -> Answered:  # fmt: skip
        """One request. A number among the parts of a body is a pause in seconds."""
        given = [(b"host", host), *headers]
        if role is not None:
            given.append((b"authorization", f"Bearer {self.tokens[role]}".encode()))
        if method == "POST" and not any(name == b"content-type" for name, _ in given):
            given.append((b"content-type", b"application/json"))
        full = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": given, "server": ("127.0.0.1", 3000), "client": ("127.0.0.1", 50000), "scheme": "http",
            "http_version": "1.1", "root_path": "", **scope,
        }  # fmt: skip
        return asyncio.run(_call(self.gate, full, [body] if isinstance(body, bytes) else list(body)))

    def audited(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "audit.log").read_text().splitlines()]


async def _call(gate: app.Gate, scope: Scope, parts: list[bytes | float]) -> Answered:
    sent: list[Message] = []

    async def receive() -> Message:
        while parts and isinstance(pause := parts[0], int | float):
            await asyncio.sleep(pause)
            parts.pop(0)
        if not parts:
            await asyncio.sleep(0.2)  # time for a stream to end before its caller hangs up
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: Message) -> None:
        sent.append(message)

    await gate(scope, receive, send)
    first, *rest = sent
    headers = {name.decode(): value.decode() for name, value in first["headers"]}
    return Answered(first["status"], headers, b"".join(message.get("body", b"") for message in rest))


def caller(
    tmp_path: Path,
    patch: pytest.MonkeyPatch,
    *,
    with_keys: bool = True,
    table: Sequence[Route] = TABLE,
    **settings: str,
) -> Caller:
    """A gate with its own store; `settings` are environment variables without their first word."""
    url = f"sqlite:///{tmp_path / 'scores.db'}"
    engine = database.open(url, create=True)
    tokens = {role: keys.add(engine, f"the {role}", [role])[1].text() for role in ROLES} if with_keys else {}
    around = {"STORE": url if with_keys else "", "AUDIT": str(tmp_path / "audit.log"), "LOCAL": "", **settings}
    for name, value in around.items():
        patch.setenv(f"TIERCAST_{name}", value)
    gate = app.Gate(within, table)
    if gate.door.ring is not None:
        gate.door.ring.refresh()
    return Caller(gate, tokens, tmp_path)
