"""The BentoML service. Start it with `tiercast serve`, or `bentoml serve serving.service.service:Tiercast`."""

from __future__ import annotations

import datetime as dt
import os
import sys

import bentoml
import pydantic_core
from starlette.responses import Response

from contract import errors
from models import bundle_folder
from serving.service import (
    answers,
    asking,
    bundle_source,
    door,
    endpoints,
    failures,
    limits,
    metrics,
    middleware,
    model_card,
    quiet,
    requests,
)
from serving.service.online import Online
from serving.service.requests import ScoreRequest

WORKERS, THREADS = (int(os.environ.get(name, "1")) for name in ("TIERCAST_WORKERS", "TIERCAST_THREADS"))


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
        quiet.hush()
        folder = bundle_source.find()
        self.online = Online(bundle_folder.load(folder), THREADS)
        self.card = model_card.as_json(self.online.bundle, folder)
        metrics.serves(self.online.bundle.about.model)
        self.online.warm_up(dt.datetime.now(dt.UTC).date())

    @bentoml.on_deployment  # type: ignore[untyped-decorator]
    @staticmethod
    def refuse_a_bad_start() -> None:
        """Before any worker starts, so that a bad bundle ends the command instead of every worker in turn."""
        quiet.hush()
        try:
            limits.read(os.environ)
            door.check(os.environ)
            bundle_folder.load(bundle_source.find())
        except errors.TiercastError as error:
            print(error, file=sys.stderr)
            sys.exit(error.exit_code)

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def close(self) -> None:
        self.online.close()

    @bentoml.api(route="/v1/score", output_spec=answers.ScoreAnswer)  # type: ignore[untyped-decorator]
    def score(self, request: ScoreRequest, /) -> Response:
        """Score customers from their raw transactions, as of a day."""
        try:
            endpoints.refuse_twins(asking.current().body, requests.n_names(request))
            answer = self.online.answer(request)
        except failures.Refused as refused:
            return refused.response()
        except errors.TiercastError as error:
            return failures.of_ours(error)
        asking.count(len(request.customers))
        metrics.scored(*([row[name] for row in answer["scores"]] for name in ("tier", "p_churn", "value")))
        return Response(pydantic_core.to_json(answer), media_type="application/json")


Tiercast.add_asgi_middleware(middleware.Gate)  # type: ignore[attr-defined]
