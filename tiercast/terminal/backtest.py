"""A backtest as tables: each date, all dates together, forecasts per tier, stability of the tiers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from tiercast.terminal import console, formatting

if TYPE_CHECKING:
    from tiercast.training.backtest.day import Day
    from tiercast.training.backtest.over_time import Point
    from tiercast.training.backtest.study import Backtest
    from tiercast.training.evaluation.bootstrap import Metric

METRICS = {
    "churn_auc": "churn: AUC",
    "churn_brier": "churn: Brier",
    "churn_ece": "churn: ECE",
    "value_ngini": "value: nGini",
    "value_mae": "value: MAE",
    "value_bias": "value: bias of the total",
    "value_above": "value: above the top",
    "value_below": "value: below the floor",
    "value_despite": "value: despite [0, 0]",
}
PERCENT = {"value_bias": "+.1%", "value_above": ".1%", "value_below": ".1%", "value_despite": ".1%"}


class MetricColumn(NamedTuple):
    """A metric in the tables over time; the interval and the closed form's number where there is room."""

    metric: str
    heading: str
    has_interval: bool = False
    has_rival: bool = True


CHURN = (MetricColumn("churn_auc", "AUC", True), MetricColumn("churn_brier", "Brier"), MetricColumn("churn_ece", "ECE"))
VALUE = (
    MetricColumn("value_ngini", "nGini", True),
    MetricColumn("value_mae", "MAE"),
    MetricColumn("value_bias", "bias"),
    MetricColumn("value_above", "above the top", has_rival=False),
)


def print_study(done: Backtest) -> None:
    """Churn and value over time, then everything together."""
    h = done.settings.horizons
    _over_time(done, f"Churn in {h.churn_days} days, {done.model}", CHURN)
    _over_time(done, f"Value in {h.value_days} days, {done.model}", VALUE)
    _overall(done)
    _tiers(done)
    _bands(done)
    for each in done.days:
        if each.not_judged:
            console.print_line(f"* {each.as_of} not judged: {each.not_judged}")
        for note in each.card.get("notes", ()):
            console.print_line(f"* {each.as_of}: {note}")
    if (day := done.plan.first_open) is not None:
        console.print_line(
            f"* Stopped before {day}: none of its windows is over by {done.known_until}, where the data end."
        )


def count_dates(done: Backtest) -> str:
    """Such as "12 of 13 dates judged, 8 finished before"."""
    before = f", {done.n_kept} finished before" if done.n_kept else ""
    return f"{len(done.judged)} of {len(done.days)} dates judged{before}"


def _over_time(done: Backtest, title: str, columns: tuple[MetricColumn, ...]) -> None:
    """One line per date on which one of the metrics was measured."""
    from tiercast.training.backtest import over_time

    points = [{point.as_of: point for point in over_time.series(done.days, column.metric)} for column in columns]
    dates = [each for each in done.judged if any(each.as_of in series for series in points)]
    if not dates:
        return
    names = [name for column in columns for name in (column.heading, *(["closed form"] if column.has_rival else []))]
    rows = [
        [str(each.as_of), *([f"{_customers(each):,}"] if columns is CHURN else [])]
        + [cell for column, series in zip(columns, points, strict=True) for cell in _cells(column, series[each.as_of])]
        for each in dates
    ]
    counted = ["customers"] if columns is CHURN else []
    console.print_table(title, [("as of", "left"), *((name, "right") for name in (*counted, *names))], rows)


def _cells(column: MetricColumn, point: Point) -> list[str]:
    name, rival = column.metric, point.closed_form
    ours = _interval(name, point.ours) if column.has_interval else _number(name, point.ours.value)
    return [ours, *([_number(name, rival.value) if rival else "–"] if column.has_rival else [])]


def _overall(done: Backtest) -> None:
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
    console.print_table("All dates", [("", "left"), *((name, "right") for name in names)], rows)


def _tiers(done: Backtest) -> None:
    names = (
        "customers",
        "share",
        "expected",
        "came",
        "bias",
        "of all",
        "churn risk",
        "churned",
        "above the top",
    )
    rows = [
        [
            row.tier,
            f"{row.customers:,}",
            formatting.percent(row.share),
            _money(row.value),
            _money(row.actual_value),
            _percent(row.bias, "+"),
            _percent(row.actual_share),
            _percent(row.p_churn),
            _percent(row.churned),
            _percent(row.above),
        ]
        for row in done.tiers
    ]
    console.print_table(
        "Each tier's promise and what came, all dates together; money per customer and date",
        [("tier", "left"), *((name, "right") for name in names)],
        rows,
    )


def _bands(done: Backtest) -> None:
    """The raw tiers, and every choice of bands."""
    names = ("churn band", "moved", "flip-backs", "value in A and B", "customers in A and B")
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
    console.print_table(
        f"How calm the tiers are from one scoring to the next, {done.requested.every} apart", columns, rows
    )


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
    return "–" if math.isnan(number) else formatting.money(number)
