"""Customers in, scores out, in one process and without files: the batch job's own steps on a request's rows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa

from models.bundle import Bundle
from serving import score
from serving.service import arrivals, judging, plans, wording
from serving.service.arrivals import Arrivals
from serving.service.desks import Columns, Desk, Desks
from serving.service.requests import ScoreRequest

Dropped = dict[str, dict[str, int]]


class Online:
    """A bundle with the engines that read for it. `answer` may be called by several threads at once."""

    def __init__(self, bundle: Bundle, n_desks: int = 1) -> None:
        self.bundle = bundle
        self.desks = Desks(arrivals.schemas(bundle.spec), n_desks)

    def answer(self, request: ScoreRequest) -> dict[str, Any]:
        """What `answers.ScoreAnswer` describes, customers in the order of the request. Raises `BadInput`."""
        given = arrivals.arrange(request, self.bundle.spec)
        plan = plans.of(self.bundle.spec, request.as_of, given.has_margin)
        with self.desks.borrow() as desk:
            desk.lay(given.tables)
            dropped = _judge(desk, plan, request, given)
            found = desk.run(plan.features)
        features, n_unknown = _as_asked(found, request)
        if n_unknown:
            dropped["customers"] = {judging.LATE: n_unknown}
        bundle = self.bundle._replace(about=self.bundle.about._replace(as_of=request.as_of))
        return {
            "as_of": request.as_of,
            "model": bundle.about.model,
            "currency": bundle.about.currency,
            "scores": _in_words(score.score(bundle, pa.table(features)), features, request, bundle.about.currency),
            "dropped": dropped,
        }

    def warm_up(self, as_of: dt.date) -> None:
        """Have the plans of a day ready in every desk, so that the first caller does not wait for them."""
        plan = plans.of(self.bundle.spec, as_of, False)
        borrowed = [self.desks.borrow() for _ in range(self.desks.n)]
        for desk in [context.__enter__() for context in borrowed]:
            desk.run(plan.features)
        for context in borrowed:
            context.__exit__(None, None, None)

    def close(self) -> None:
        self.desks.close()
