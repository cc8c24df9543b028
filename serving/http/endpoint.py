"""An endpoint as data: the router, the roles, the metrics' labels and the OpenAPI document are made from it."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeVar

import anyio
import anyio.to_thread
import pydantic_core
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from tiercast.contract import strict_json
from tiercast.serving.access.roles import Role
from tiercast.serving.http.error_responses import HttpError

Handler = Callable[[Request], Awaitable[Response]]
Body = TypeVar("Body", bound=BaseModel)
JSON, HTML, TEXT = "application/json", "text/html; charset=utf-8", "text/plain; version=0.0.4; charset=utf-8"
THREADS = 8


class Endpoint(NamedTuple):
    """One address. A key needs one of `roles`; without roles, the address is open to everyone.

    `responses` maps each media type of a 200 to the model of its JSON, or None for another format. `statuses` are
    those beside the ones that every such endpoint has, see `openapi.statuses`.
    """

    path: str
    method: Literal["GET", "POST"]
    roles: tuple[Role, ...]
    summary: str
    handler: Handler
    responses: Mapping[str, type[BaseModel] | None]
    request: type[BaseModel] | None = None
    example: Mapping[str, Any] | None = None
    response_example: Mapping[str, Any] | None = None
    statuses: tuple[int, ...] = ()
    is_probe: bool = False


def with_body(model: type[Body], function: Callable[[Body], Any]) -> Handler:
    """A handler that calls `function` with the parsed body, in a thread."""

    async def handle(request: Request) -> Response:
        return await _respond(functools.partial(function, parse_body(model, await request.body())))

    return handle


def without_body(function: Callable[[], Any]) -> Handler:
    """A handler that calls `function` in a thread."""

    async def handle(_: Request) -> Response:
        return await _respond(function)

    return handle


def parse_body(model: type[Body], body: bytes) -> Body:
    """The body as a model, strictly. Raises pydantic's `ValidationError`, and `HttpError` for a duplicate name."""
    parsed = model.model_validate_json(body, strict=True)
    refuse_duplicate_names(body)
    return parsed


def refuse_duplicate_names(body: bytes, n_names: int | None = None) -> None:
    """Raises `HttpError`: of two equal names in one object, a proxy in front of us may have used the other one."""
    try:
        strict_json.refuse_duplicates(body, n_names)
    except strict_json.DuplicateNames:
        raise HttpError(400, message="a name comes twice in one object of the body") from None


def json_response(content: Any, status: int = 200) -> Response:
    """The content as JSON; a number that is not finite becomes null."""
    return Response(pydantic_core.to_json(content, inf_nan_mode="null"), status, media_type=JSON)


async def _respond(function: Callable[[], Any]) -> Response:
    content = await anyio.to_thread.run_sync(function, limiter=_limiter(), abandon_on_cancel=True)
    return content if isinstance(content, Response) else json_response(content)


@functools.cache
def _limiter() -> anyio.CapacityLimiter:
    return anyio.CapacityLimiter(THREADS)
