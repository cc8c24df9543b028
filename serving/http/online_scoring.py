"""`POST /v1/score`: customers with their transactions in, scores out."""

from __future__ import annotations

import functools

from starlette.requests import Request
from starlette.responses import Response

from tiercast.serving.http import app_state, endpoint, metrics, request_context
from tiercast.serving.http.endpoint import JSON
from tiercast.serving.http.error_responses import HttpError
from tiercast.serving.online import micro_batch, requests
from tiercast.serving.online.micro_batch import MicroBatcher, Scored
from tiercast.serving.online.requests import ScoreRequest

EXAMPLE = {
    "as_of": "1998-07-01",
    "lang": "en",
    "customers": [
        {
            "customer_id": "00917",
            "transactions": [
                {"ordered_at": "1997-03-01", "amount": 14.99, "quantity": 1},
                {"ordered_at": "1997-04-12T18:30:00", "amount": 29.5, "quantity": 2},
                {"ordered_at": "1997-04-20", "amount": -14.99, "quantity": 1},
            ],
        },
        {"customer_id": "00918", "transactions": []},
    ],
}


async def score(request: Request) -> Response:
    """Score customers from their raw transactions, as of a day."""
    body = await request.body()
    parsed = ScoreRequest.model_validate_json(body, strict=True)
    scored = await _score(app_state.model(request).batcher, parsed, body)
    request_context.count_customers(len(parsed.customers))
    metrics.count_scores(*([row[name] for row in scored.rows] for name in ("tier", "p_churn", "value")))
    n_workers = app_state.from_scope(request.scope).limits.workers
    return Response(scored.body, media_type=JSON, headers=_connection(len(parsed.customers), n_workers))


async def _score(batcher: MicroBatcher, parsed: ScoreRequest, body: bytes) -> Scored:
    check = functools.partial(endpoint.refuse_duplicate_names, body, requests.n_names(parsed))
    try:
        return await batcher.score(parsed, check)
    except micro_batch.Busy:
        raise HttpError(503, {"Retry-After": "1"}, code="Busy", message="too many requests are waiting") from None


def _connection(n_customers: int, n_workers: int) -> dict[str, str]:
    """A large response closes its connection where there are several workers, so that the next may reach an idle one.

    Connections stay with the worker that accepted them, and all of a client's may be with the same one.
    """
    return {"Connection": "close"} if n_workers > 1 and n_customers > micro_batch.MAX_BATCH_CUSTOMERS else {}
