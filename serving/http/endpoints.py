"""From a plain function to an address: its argument is validated from the body, its result is JSON.

BentoML's own way costs a millisecond a request; only `/v1/score` needs what it gives (threads beside the bundle).
The function runs in a thread. What it raises of our errors becomes the answer; it may also return a whole response,
such as a stream.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio
import anyio.to_thread
import pydantic
import pydantic_core
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from tiercast.contract import errors, strict_json
from tiercast.serving.http import error_responses

Handler = Callable[[Request], Awaitable[Response]]
Asked = TypeVar("Asked", bound=BaseModel)
THREADS = 8


def asking(model: type[Asked], function: Callable[[Asked], Any]) -> Handler:
    """The handler of an address that takes a JSON body: `function` gets it as `model`."""

    async def handle(request: Request) -> Response:
        try:
            asked = parsed(model, await request.body())
        except pydantic.ValidationError as error:
            return error_responses.of_pydantic(error)
        return await _answered(functools.partial(function, asked))

    return handle


def telling(function: Callable[[], Any]) -> Handler:
    """The handler of an address that takes nothing."""

    async def handle(_: Request) -> Response:
        return await _answered(function)

    return handle


def parsed(model: type[Asked], body: bytes) -> Asked:
    """The body as a model, strictly. Raises pydantic's `ValidationError`, and `Refused` for a name that comes twice."""
    asked = model.model_validate_json(body, strict=True)
    refuse_twins(body)
    return asked


def refuse_twins(body: bytes, n_names: int | None = None) -> None:
    """Raises `Refused`: of two equal names in one object, somebody before us may have read the other one."""
    try:
        strict_json.refuse_twins(body, n_names)
    except strict_json.Twins:
        raise error_responses.Refused(400, message="a name comes twice in one object of the body") from None


async def _answered(function: Callable[[], Any]) -> Response:
    try:
        answer = await anyio.to_thread.run_sync(function, limiter=_limiter(), abandon_on_cancel=True)
    except errors.TiercastError as error:
        return error_responses.of_ours(error)
    if isinstance(answer, Response):
        return answer
    return Response(pydantic_core.to_json(answer, inf_nan_mode="null"), media_type="application/json")


@functools.cache
def _limiter() -> anyio.CapacityLimiter:
    return anyio.CapacityLimiter(THREADS)
