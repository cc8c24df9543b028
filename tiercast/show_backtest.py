"""What a person sees of a backtest: the dates, what they come to, each tier's promise, how calm the tiers are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tiercast import say

if TYPE_CHECKING:
    from training.backtest.day import Day
    from training.backtest.study import Study
    from training.evaluation.bootstrap import Metric

METRICS = {
    "churn_auc": "churn: AUC",
    "churn_brier": "churn: Brier",
    "churn_ece": "churn: ECE",
    "value_ngini": "value: nGini",
    "value_mae": "value: MAE",
    "value_bias": "value: bias of the total",
    "value_coverage": "value: inside the 80 % interval",
}
PERCENT = {"value_bias": "+.1%", "value_coverage": ".1%"}


def study(done: Study) -> None:
    """Churn and value over time, then everything together."""
    h = done.settings.horizons
    _over_time(done, f"Churn in {h.churn_days} days, {done.model}", ("churn_auc", "churn_brier", "churn_ece"))
    names = ("value_ngini", "value_mae", "value_bias", "value_coverage")
    _over_time(done, f"Value in {h.value_days} days, {done.model}", names)
    _overall(done)
    _tiers(done)
    _bands(done)
    for each in done.days:
        if each.not_judged:
            say.line(f"* {each.as_of} not judged: {each.not_judged}")
        for note in each.card.get("notes", ()):
            say.line(f"* {each.as_of}: {note}")
    if done.plan.first_open:
        say.line(
            f"* stopped before {done.plan.first_open}: no window is over by {done.known_until}, where the data end"
        )


def count(done: Study) -> str:
    """Such as "12 dates judged, 8 of them before".

    Finished dates are taken from the folder.
    """
    before = f", {done.n_kept} of them finished before" if done.n_kept else ""
    return f"{len(done.judged)} of {len(done.days)} dates judged{before}"


def _over_time(done: Study, title: str, names: tuple[str, ...]) -> None:
    """One line per date; each metric with its interval, the closed form's number beside it."""
    from training.backtest import over_time

    points = {name: {point.as_of: point for point in over_time.series(done.days, name)} for name in names}
    if not any(points.values()):
        return
    columns = [("as of", "left"), ("customers", "right")]
    for name in names:
        heading = METRICS[name].partition(": ")[2].removesuffix(" of the total").removesuffix(" 80 % interval")
        columns += [(heading, "right")] + ([("closed form", "right")] if name != over_time.COVERAGE else [])
    rows = []
    for each in done.judged:
        row = [str(each.as_of), f"{_customers(each):,}"]
        for name in names:
            point = points[name].get(each.as_of)
            row.append(_interval(name, point.ours) if point else "–")
            if name != over_time.COVERAGE:
                row.append(_number(name, point.closed_form.value) if point and point.closed_form else "–")
        rows.append(row)
    say.table(title, columns, rows)


def _overall(done: Study) -> None:
    names = ("dates", "mean", "lowest", "highest", "closed form", "better on", "beyond noise on")
    rows = [
        [
            METRICS[row.metric],
            str(row.dates),
            *(_number(row.metric, number) for number in (row.mean, row.lowest, row.highest)),
            "–" if row.closed_form is None else _number(row.metric, row.closed_form),
            "–" if row.better_on is None else str(row.better_on),
            "–" if row.beyond_noise_on is None else str(row.beyond_noise_on),
        ]
        for row in done.overall
    ]
    say.table("All dates", [("", "left"), *((name, "right") for name in names)], rows)


def _tiers(done: Study) -> None:
    names = (
        "customers",
        "share",
        "expected",
        "came",
        "bias",
        "of all that came",
        "churn risk",
        "churned",
        "inside 80 %",
    )
    rows = [
        [
            row.tier,
            f"{row.customers:,}",
            say.percent(row.share),
            _money(row.value),
            _money(row.actual_value),
            _percent(row.bias, "+"),
            _percent(row.actual_share),
            _percent(row.p_churn),
            _percent(row.churned),
            _percent(row.coverage),
        ]
        for row in done.tiers
    ]
    say.table(
        "Each tier's promise and what came, all dates together; money per customer and date",
        [("tier", "left"), *((name, "right") for name in names)],
        rows,
    )


def _bands(done: Study) -> None:
    """The raw tiers, and every choice of bands."""
    names = ("churn band", "moved", "flip-backs", "captured by A and B", "customers in A and B")
    rows = [
        [
            f"±{row.value_band:.0%}",
            f"±{row.p_churn_band:.2f}",
            _percent(row.moved),
            _share(row.flip_back),
            _share(row.captured),
            _percent(row.crowd),
        ]
        for row in done.bands
    ]
    columns = [("value band", "left"), *((name, "right") for name in names)]
    say.table(f"How calm the tiers are from one scoring to the next, {done.asked.every} apart", columns, rows)


def _customers(each: Day) -> int:
    return 0 if each.scores is None else int(each.scores.num_rows)


def _interval(name: str, metric: Metric) -> str:
    return f"{_number(name, metric.value)} [{_number(name, metric.low)}–{_number(name, metric.high)}]"


def _number(name: str, number: float) -> str:
    if math.isnan(number):
        return "–"
    return f"{number:{PERCENT.get(name) or (',.2f' if abs(number) >= 2 else '.3f')}}"


def _share(metric: Metric) -> str:
    return "–" if math.isnan(metric.value) else f"{metric.value:.1%} [{metric.low:.1%}–{metric.high:.1%}]"


def _percent(share: float, sign: str = "") -> str:
    return "–" if math.isnan(share) else f"{share:{sign}.1%}"


def _money(number: float) -> str:
    return "–" if math.isnan(number) else say.money(number)
