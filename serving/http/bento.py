"""The BentoML service. Start it with `tiercast serve`, or `bentoml serve tiercast.serving.http.bento:Tiercast`."""

from __future__ import annotations

import functools
import os
import sys

import bentoml
from starlette.responses import Response

from tiercast.contract import errors
from tiercast.serving.http import (
    access_log,
    app,
    auth,
    endpoints,
    error_responses,
    jobs,
    limits,
    metrics,
    request_context,
)
from tiercast.serving.http.model import ModelRuntime
from tiercast.serving.model_manager import source
from tiercast.serving.online import micro_batch, requests, responses
from tiercast.serving.online.micro_batch import MicroBatcher
from tiercast.serving.online.requests import ScoreRequest
from tiercast.serving.online.scorer import Scorer

WORKERS, THREADS = (int(os.environ.get(name, "1")) for name in ("TIERCAST_WORKERS", "TIERCAST_THREADS"))
# How long a thread that scores keeps the interpreter while a request waits to be read or an answer to be sent: Python's
# own 5 ms are felt in the slowest answers.
SWITCH_SECONDS = 0.0005


@bentoml.service(
    name="tiercast",
    workers=WORKERS,
    threads=THREADS,
    traffic={"timeout": 60},
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
class Tiercast:
    """Forward-looking customer tiers: value, risk of leaving, reasons and what to do next."""

    def __init__(self) -> None:
        access_log.configure()
        sys.setswitchinterval(SWITCH_SECONDS)
        self.model = ModelRuntime(os.environ)
        self.batcher = MicroBatcher(self.model.scorer, THREADS, self.model.compare)

    @property
    def scorer(self) -> Scorer:
        """The scorer of the model that is served now."""
        return self.model.scorer()

    @property
    def card(self) -> bytes:
        """What GET /v1/model responds."""
        return self.model.card()

    @bentoml.on_deployment  # type: ignore[untyped-decorator]
    @staticmethod
    def refuse_a_bad_start() -> None:
        """Before any worker starts, so that a bad bundle ends the command instead of every worker in turn."""
        access_log.configure()
        try:
            limits.read(os.environ)
            auth.check(os.environ)
            jobs.check()
            source.check(source.from_env())
        except errors.TiercastError as error:
            print(error, file=sys.stderr)
            sys.exit(error.exit_code)

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def close(self) -> None:
        self.batcher.close()
        self.model.close()

    @bentoml.api(route="/v1/score", output_spec=responses.ScoreAnswer)  # type: ignore[untyped-decorator]
    async def score(self, request: ScoreRequest, /) -> Response:
        """Score customers from their raw transactions, as of a day."""
        check = functools.partial(endpoints.refuse_twins, request_context.current().body, requests.n_names(request))
        try:
            scored = await self.batcher.score(request, check)
        except error_responses.Refused as refused:
            return refused.response()
        except errors.TiercastError as error:
            return error_responses.of_ours(error)
        except micro_batch.Busy:
            return error_responses.response(
                503, {"Retry-After": "1"}, code="Busy", message="too many requests are waiting"
            )
        request_context.count(len(request.customers))
        metrics.scored(*([row[name] for row in scored.rows] for name in ("tier", "p_churn", "value")))
        return Response(scored.body, media_type="application/json", headers=_headers(len(request.customers)))


def _headers(n_customers: int) -> dict[str, str]:
    """A large answer ends its connection where there are several workers, so that the next may go to an idle one.

    Callers' connections stay with the worker that took them, and of eight all may have met the same one.
    """
    return {"Connection": "close"} if WORKERS > 1 and n_customers > micro_batch.MAX_BATCH_CUSTOMERS else {}


Tiercast.add_asgi_middleware(app.Gate)  # type: ignore[attr-defined]
