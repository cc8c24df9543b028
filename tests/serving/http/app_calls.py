"""An application with a few small endpoints, and a caller who can send it any bytes: no server, no bundle."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel, ConfigDict
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp, Message, Scope

from tiercast.contract import errors
from tiercast.serving.access import keys
from tiercast.serving.http import app, app_state, pages, readiness, request_context
from tiercast.serving.http.app_state import AppState
from tiercast.serving.http.endpoint import JSON, Endpoint, with_body, without_body
from tiercast.serving.store import database

ROLES = ("score", "read", "admin")


@dataclasses.dataclass
class KeyDatabase:
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
    request_context.count_customers(len(basket.names))
    return Doubled(number=2 * basket.number)


async def echo(request: Request) -> PlainTextResponse:
    """The body as the endpoint receives it, in one message."""
    return PlainTextResponse(str((await request.receive())["body"]))


def stream() -> StreamingResponse:
    return StreamingResponse((f"{n}\n" for n in range(3)), media_type="text/csv")


ENDPOINTS = (
    Endpoint("/v1/double", "POST", ("score",), "Twice.", with_body(Basket, double), {JSON: Doubled}, Basket),
    Endpoint("/v1/see", "GET", ("read",), "See.", without_body(lambda: {"seen": True}), {JSON: None}),
    Endpoint("/v1/rows", "GET", ("read",), "Rows.", without_body(stream), {"text/csv": None}),
    Endpoint("/v1/change", "POST", ("admin",), "Change.", with_body(Basket, double), {JSON: Doubled}, Basket),
    Endpoint("/v1/echo", "POST", ("score",), "Echo.", echo, {JSON: None}, Basket),
    Endpoint("/livez", "GET", (), "Alive.", pages.alive, {JSON: None}, is_probe=True),
    Endpoint("/readyz", "GET", (), "Ready.", readiness.page, {JSON: None}, is_probe=True),
)


class Response(NamedTuple):
    """A response as it was sent."""

    status_code: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


class Caller:
    """Calls an application; `tokens` has one per role."""

    def __init__(self, app: Starlette, tokens: dict[str, str], folder: Path) -> None:
        self.app, self.tokens, self.folder = app, tokens, folder

    @property
    def state(self) -> AppState:
        state: AppState = self.app.state.worker
        return state

    def __call__(
        self, method: str, path: str, body: bytes | Sequence[bytes | float] = b"", *,
        role: str | None = None, headers: Sequence[tuple[bytes, bytes]] = (), host: bytes = b"127.0.0.1:3000",
        **scope: Any,
    ) -> Response:  # fmt: skip
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
        return asyncio.run(_call(self.app, full, [body] if isinstance(body, bytes) else list(body)))

    def audited(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "audit.log").read_text().splitlines()]


async def _call(app: ASGIApp, scope: Scope, parts: list[bytes | float]) -> Response:
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

    await app(scope, receive, send)
    first, *rest = sent
    headers = {name.decode(): value.decode() for name, value in first["headers"]}
    return Response(first["status"], headers, b"".join(message.get("body", b"") for message in rest))


def caller(
    tmp_path: Path,
    patch: pytest.MonkeyPatch,
    *,
    with_keys: bool = True,
    endpoints: Sequence[Endpoint] = ENDPOINTS,
    **settings: str,
) -> Caller:
    """An application with its own store; `settings` are environment variables without their first word."""
    url = f"sqlite:///{tmp_path / 'scores.db'}"
    engine = database.open(url, create=True)
    tokens = {role: keys.add(engine, f"the {role}", [role])[1].text() for role in ROLES} if with_keys else {}
    around = {"STORE": url if with_keys else "", "AUDIT": str(tmp_path / "audit.log"), "LOCAL": "", **settings}
    for name, value in around.items():
        patch.setenv(f"TIERCAST_{name}", value)
    built = app.build(endpoints, has_model=False)
    built.state.worker = app_state.from_env(os.environ)
    if built.state.worker.authenticator.keyring is not None:
        built.state.worker.authenticator.keyring.refresh()
    return Caller(built, tokens, tmp_path)
