"""A training as a comparison sees it, wherever it was written down."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

from tiercast.training.comparison.kept import Kept
from tiercast.training.evaluation.bootstrap import Metric
from tiercast.training.judge.weekly import Weekly

NAN = float("nan")


class Subject(NamedTuple):
    """Parameters as MLflow keeps them, as text; metrics flat, with `_low` and `_high` where there is an interval.

    `kept` holds the forecasts of the holdout by target, empty for a run that kept none; `windows` the metrics of each
    earlier window that was forecast before it was known.
    """

    run_id: str
    started_at: dt.datetime
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    grades: Mapping[str, str]
    kept: Mapping[str, Kept]
    windows: tuple[Mapping[str, float], ...]
    weekly: Weekly | None

    def metric(self, name: str) -> Metric | None:
        """A number with its interval; None where the run lacks it."""
        found = self.metrics
        ends = (found.get(f"{name}{end}", NAN) for end in ("_low", "_high"))
        return Metric(found[name], *ends) if name in found else None
