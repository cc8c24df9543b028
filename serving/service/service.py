"""The BentoML service. Start it with `tiercast serve`, or `bentoml serve serving.service.service:Tiercast`."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import sys
from collections.abc import Iterator

import bentoml
from starlette.responses import Response

from contract import errors
from models import bundle_folder
from serving.service import answers, bundle_source, failures, metrics, middleware, model_card, pages, passes, quiet
from serving.lifecycle.current import Current, Served
from serving.lifecycle.source import Found
from serving.service.online import Online
from serving.service.passes import Passes
from serving.service.requests import ScoreRequest

WORKERS, THREADS = (int(os.environ.get(name, "1")) for name in ("TIERCAST_WORKERS", "TIERCAST_THREADS"))


@bentoml.asgi_app(pages.app, path="/")
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
        online = Online(bundle_folder.load(folder), THREADS)
        card = model_card.as_json(online.bundle, folder)
        now = dt.datetime.now(dt.UTC)
        online.warm_up(now.date())
        self.current = Current(Served(online, card, Found(folder, "folder"), now))
        self.passes = Passes(self._borrow, THREADS)

    @contextlib.contextmanager
    def _borrow(self) -> Iterator[Online]:
        with self.current.use() as served:
            yield served.online

    @property
    def online(self) -> Online:
        return self.current.served.online

    @property
    def card(self) -> bytes:
        return self.current.served.card

    @bentoml.on_deployment  # type: ignore[untyped-decorator]
    @staticmethod
    def refuse_a_bad_bundle() -> None:
        """Before any worker starts, so that a bad bundle ends the command instead of every worker in turn."""
        try:
            bundle_folder.load(bundle_source.find())
        except errors.TiercastError as error:
            print(error, file=sys.stderr)
            sys.exit(error.exit_code)

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def close(self) -> None:
        self.passes.close()
        self.online.close()

    @bentoml.api(route="/v1/score", output_spec=answers.ScoreAnswer)  # type: ignore[untyped-decorator]
    async def score(self, request: ScoreRequest, /) -> Response:
        """Score customers from their raw transactions, as of a day."""
        try:
            scored = await asyncio.wrap_future(self.passes.submit(request))
        except errors.TiercastError as error:
            return failures.of_ours(error)
        except passes.Busy:
            return failures.response(503, code="Busy", message="more requests wait than can be answered soon")
        for tier, n in scored.tiers.items():
            metrics.CUSTOMERS.labels(tier).inc(n)
        return Response(scored.body, media_type="application/json")


Tiercast.add_asgi_middleware(middleware.Gate)  # type: ignore[attr-defined]
