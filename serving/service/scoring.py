"""POST /v1/score: read here, scored in a thread of `passes`, together with what waits there."""

from __future__ import annotations

import asyncio
import functools

import bentoml
import pydantic
from starlette.requests import Request
from starlette.responses import Response

from contract import errors
from serving.service import asking, endpoints, failures, metrics, passes, requests
from serving.service.requests import ScoreRequest


async def score(_: Request) -> Response:
    """Score customers from their raw transactions, as of a day."""
    body = asking.current().body
    try:
        request = ScoreRequest.model_validate_json(body)
    except pydantic.ValidationError as error:
        return failures.of_pydantic(error)
    check = functools.partial(endpoints.refuse_twins, body, requests.n_names(request))
    try:
        scored = await asyncio.wrap_future(bentoml.get_current_service().passes.submit(request, check))
    except errors.TiercastError as error:
        return failures.of_ours(error)
    except passes.Busy:
        return failures.response(503, {"Retry-After": "1"}, code="Busy", message="too many requests are waiting")
    asking.count(len(request.customers))
    metrics.scored(*([row[name] for row in scored.rows] for name in ("tier", "p_churn", "value")))
    return Response(scored.body, media_type="application/json")
