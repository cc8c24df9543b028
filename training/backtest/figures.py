"""The figures of a backtest by the name they get, in its folder and in MLflow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from matplotlib.figure import Figure

from tiercast.contract.scores import INTERVAL_TAIL
from tiercast.training.backtest import over_time
from tiercast.training.backtest.study import Backtest
from tiercast.training.plots import over_time as plots


class _Picture(NamedTuple):
    title: str
    subtitle: str
    target: float | None = None
    is_share: bool = False


PICTURES = {
    "churn_auc": _Picture("Does the churn model rank well, date after date?", "AUC, further up is better."),
    "churn_brier": _Picture("Are the risks right, date after date?", "Brier score, further down is better."),
    "churn_ece": _Picture("Do the risks mean what they say?", "Calibration error (ECE), further down is better."),
    "value_ngini": _Picture("Does the value model rank well, date after date?", "Gini, 1 is a perfect ranking."),
    "value_mae": _Picture("How far off is the value of one customer?", "Mean absolute error, in money."),
    "value_bias": _Picture("Is the total right, date after date?", "Forecast over what came, less one.", 0.0, True),
    "value_above": _Picture(
        "Do the ranges hold at their top?", "More than the top came, of those with a top.", INTERVAL_TAIL, True
    ),
}


def draw(study: Backtest) -> Iterator[tuple[str, Figure]]:
    """(name, figure) pairs: every metric that was measured, then the bands where there are three dates or more."""
    for name, picture in PICTURES.items():
        points = over_time.series(study.days, name)
        if points:
            days, ours, closed_form = zip(*points, strict=True)
            title, subtitle, target, is_share = picture
            yield (
                f"{name}.png",
                plots.metric(title, subtitle, days, ours, closed_form, target=target, is_share=is_share),
            )
    rows = study.bands
    if len(rows) > 1 and not math.isnan(rows[0].flip_back.value) and not math.isnan(rows[0].captured.value):
        columns = ([row.flip_back for row in rows], [row.captured for row in rows])
        yield "bands.png", plots.bands(*columns, [r.value_band for r in rows], [r.p_churn_band for r in rows])
