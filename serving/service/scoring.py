"""POST /v1/score: scored in a thread of `passes`, together with what waits there."""

from __future__ import annotations

import asyncio
import functools

from starlette.responses import Response

from contract import errors
from serving.service import asking, endpoints, failures, metrics, requests
from serving.service.passes import Busy, Passes
from serving.service.requests import ScoreRequest


async def answer(passes: Passes, request: ScoreRequest) -> Response:
    """The scores as they are sent, or the refusal."""
    check = functools.partial(endpoints.refuse_twins, asking.current().body, requests.n_names(request))
    try:
        scored = await asyncio.wrap_future(passes.submit(request, check))
    except failures.Refused as refused:
        return refused.response()
    except errors.TiercastError as error:
        return failures.of_ours(error)
    except Busy:
        return failures.response(503, {"Retry-After": "1"}, code="Busy", message="too many requests are waiting")
    asking.count(len(request.customers))
    metrics.scored(*([row[name] for row in scored.rows] for name in ("tier", "p_churn", "value")))
    return Response(scored.body, media_type="application/json")
