from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet
from sklearn import metrics

from tests import make_tables, score_files
from tests.training.monitoring.conftest import DAYS, LATER, TRAINED_ON, Place
from tiercast.contract import errors
from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.features.reading import score_reader
from tiercast.training.evaluation.bootstrap import Metric
from tiercast.training.monitoring import outcomes
from tiercast.training.monitoring.outcomes import Outcome


def judge(orders: str, path: str, as_of: dt.date, card: dict[str, object] | None = None) -> Outcome:
    with DuckDBEngine(threads=1) as engine:
        tables = reading.read(engine, reading.Sources(orders), as_of, is_counted=False).tables
        scores = score_reader.open_scores(engine, path, outcomes.NEEDED)
        return outcomes.measure(engine, tables, outcomes.window(scores, as_of), card or {}, draws=20)


@pytest.fixture(scope="module")
def judged(place: Place) -> Outcome:
    return judge(place.orders, place.scores, LATER, dict(place.bundle.scorecard))


@pytest.fixture(scope="module")
def by_pandas(place: Place) -> pd.DataFrame:
    """What became of every scored customer, computed from the raw lines without any code of ours."""
    lines = parquet.read_table(place.orders).to_pandas()
    lines["day"] = pd.to_datetime(lines["ordered_at"])
    start = pd.Timestamp(TRAINED_ON)
    inside = lines[(lines.day >= start) & (lines.day < start + pd.Timedelta(days=DAYS))]
    frame = parquet.read_table(place.scores).to_pandas().set_index("customer_id")
    frame["churned"] = (~frame.index.isin(inside.customer_id)).astype(float)
    frame["realised"] = inside.groupby("customer_id").amount.sum().reindex(frame.index).fillna(0.0)
    return frame


def test_the_numbers_of_a_closed_window_are_those_of_pandas_and_scikit_learn(
    judged: Outcome, by_pandas: pd.DataFrame
) -> None:
    f = by_pandas
    assert judged.n == len(f)
    assert (judged.n_unknown, judged.n_unscored) == (0, 0)
    assert judged.churn is not None
    assert judged.value is not None
    assert judged.intervals is not None
    assert judged.churn["auc"].value == pytest.approx(metrics.roc_auc_score(f.churned, f.p_churn))
    assert judged.churn["brier"].value == pytest.approx(metrics.brier_score_loss(f.churned, f.p_churn))
    assert judged.level == pytest.approx((f.p_churn - f.churned).mean())
    assert judged.value["bias"].value == pytest.approx(f.value.sum() / f.realised.sum() - 1)
    assert judged.value["mae"].value == pytest.approx((f.value - f.realised).abs().mean())
    topped, floored, empty = f[f.value_high > 0], f[f.value_low > 0], f[f.value_high == 0]
    overall = judged.intervals.overall
    assert overall.above == pytest.approx((topped.realised > topped.value_high).mean())
    assert overall.n_above == len(topped)
    broken = {"below": floored.realised < floored.value_low, "despite": empty.realised > 0}
    for name, flags in broken.items():
        assert getattr(overall, name) == (pytest.approx(flags.mean()) if len(flags) else None)


def test_every_tier_is_told_what_was_said_and_what_came(judged: Outcome, by_pandas: pd.DataFrame) -> None:
    groups = by_pandas.groupby("tier")
    assert [row.tier for row in judged.tiers] == sorted(str(tier) for tier in groups.groups)
    for row in judged.tiers:
        group = groups.get_group(row.tier)
        topped = group[group.value_high > 0]
        above = (topped.realised > topped.value_high).mean() if len(topped) else None
        wanted = (group.p_churn.mean(), group.churned.mean(), group.value.sum(), group.realised.sum())
        assert (row.p_churn, row.churned, row.value, row.realised) == pytest.approx(wanted)
        assert row.above == (None if above is None else pytest.approx(above))
        assert row.customers == len(group)


def test_orders_after_the_window_change_nothing(place: Place, judged: Outcome) -> None:
    on_the_day = judge(place.orders, place.scores, TRAINED_ON + dt.timedelta(DAYS), dict(place.bundle.scorecard))
    assert on_the_day.tiers == judged.tiers
    assert [str(check) for check in on_the_day.checks] == [str(check) for check in judged.checks]


def test_checks_are_numbered_and_speak_of_their_day(judged: Outcome) -> None:
    assert [check.code for check in judged.checks] == ["W7", "W8", "W9", "W10", "W11"]
    assert {check.about for check in judged.checks} == {f"scores of {TRAINED_ON}"}


def test_a_window_that_is_open_says_until_when(place: Place) -> None:
    with DuckDBEngine(threads=1) as engine:
        scores = score_reader.open_scores(engine, place.scores, outcomes.NEEDED)
    last_open, first_closed = TRAINED_ON + dt.timedelta(DAYS - 1), TRAINED_ON + dt.timedelta(DAYS)
    assert outcomes.window(scores, last_open).is_closed == (False, False)
    assert outcomes.window(scores, first_closed).is_closed == (True, True)
    assert outcomes.window(scores, last_open).waits() == [
        f"scores of {TRAINED_ON}: the churn window closes on {first_closed}",
        f"scores of {TRAINED_ON}: the value window closes on {first_closed}",
    ]
    assert outcomes.window(scores, first_closed).waits() == []


@pytest.fixture
def two_hundred(tmp_path: Path) -> tuple[str, str]:
    """200 customers with an order each before 2024-06-01; half of them order 10 money again within 30 days."""
    ids = [f"c-{n:03}" for n in range(200)]
    again = [one for n, one in enumerate(ids) if n % 2]
    lines = {
        "customer_id": ids + again,
        "ordered_at": [dt.date(2024, 5, 1)] * 200 + [dt.date(2024, 6, 20)] * 100,
        "amount": [5.0] * 200 + [10.0] * 100,
    }
    return make_tables.write(tmp_path, lines), str(tmp_path / "scores.parquet")


def scores_of(path: str, p: list[float], value: list[float], *, value_days: int = 30) -> str:
    n, low = len(p), np.zeros(len(p)).tolist()
    return score_files.write(
        Path(path), [f"c-{k:03}" for k in range(n)], ["A"] * n, value, churn_days=30, value_days=value_days,
        p_churn=p, value_low=low, value_high=[20.0] * n,
    )  # fmt: skip


def levels(found: Outcome) -> dict[str, str]:
    return {check.code: check.level for check in found.checks}


def promise(**named: tuple[float, float, float]) -> dict[str, object]:
    """A scorecard with these metrics: churn's ece and auc, value's bias and ngini."""
    of = {"ece": "churn", "auc": "churn", "bias": "value", "ngini": "value"}
    card: dict[str, dict[str, dict[str, dict[str, dict[str, float]]]]] = {
        target: {"models": {"tiercast": {}}} for target in ("churn", "value")
    }
    for name, numbers in named.items():
        card[of[name]]["models"]["tiercast"][name] = Metric(*numbers)._asdict()
    return dict(card)


FINE = promise(ece=(0.01, 0.005, 0.015), auc=(0.9, 0.88, 0.92), bias=(0.0, -0.05, 0.05), ngini=(0.9, 0.85, 0.95))


def test_scores_that_came_true_are_quiet(two_hundred: tuple[str, str]) -> None:
    orders, path = two_hundred
    p, value = [0.02 if n % 2 else 0.98 for n in range(200)], [10.0 if n % 2 else 0.01 for n in range(200)]
    found = judge(orders, scores_of(path, p, value), dt.date(2024, 7, 1), FINE)
    assert set(levels(found).values()) == {"quiet"}


def test_scores_that_came_true_the_wrong_way_round_alarm(two_hundred: tuple[str, str]) -> None:
    orders, path = two_hundred
    p, value = [0.95 if n % 2 else 0.3 for n in range(200)], [4.0 if n % 2 else 30.0 for n in range(200)]
    found = judge(orders, scores_of(path, p, value), dt.date(2024, 7, 1), FINE)
    assert levels(found) == {"W7": "alarm", "W8": "alarm", "W9": "alarm", "W10": "alarm", "W11": "quiet"}


def test_a_holdout_that_was_no_better_excuses_the_ranking_but_not_the_level(two_hundred: tuple[str, str]) -> None:
    orders, path = two_hundred
    p, value = [0.95 if n % 2 else 0.3 for n in range(200)], [4.0 if n % 2 else 30.0 for n in range(200)]
    bad = promise(ece=(0.8, 0.7, 0.9), auc=(0.0, 0.0, 0.1), bias=(2.0, 1.5, 2.5), ngini=(-1.0, -1.0, -0.9))
    found = levels(judge(orders, scores_of(path, p, value), dt.date(2024, 7, 1), bad))
    assert (found["W7"], found["W8"], found["W10"]) == ("quiet", "quiet", "quiet")
    assert found["W9"] == "alarm"


def test_without_a_holdout_rankings_are_unknown_and_limits_still_hold(two_hundred: tuple[str, str]) -> None:
    orders, path = two_hundred
    found = judge(orders, scores_of(path, [0.1] * 200, [10.0] * 200), dt.date(2024, 7, 1))
    assert levels(found) == {"W7": "alarm", "W8": "unknown", "W9": "alarm", "W10": "unknown", "W11": "quiet"}


def test_churn_is_judged_while_the_longer_value_window_is_open(two_hundred: tuple[str, str]) -> None:
    orders, path = two_hundred
    scores_of(path, [0.5] * 200, [5.0] * 200, value_days=90)
    found = judge(orders, path, dt.date(2024, 7, 1), FINE)
    assert found.window.is_closed == (True, False)
    assert list(levels(found)) == ["W7", "W8"]
    assert (found.value, found.intervals, found.tiers[0].realised, found.tiers[0].above) == (None,) * 4
    assert found.tiers[0].churned == 0.5


def test_customers_of_one_side_only_are_counted_and_prospects_are_left_out(two_hundred: tuple[str, str]) -> None:
    orders, path = two_hundred
    nan = float("nan")
    ids = [f"c-{n:03}" for n in range(150)] + ["gone", "prospect"]
    score_files.write(
        Path(path), ids, ["A"] * 151 + ["F"], [5.0] * 151 + [nan], churn_days=30, value_days=30,
        p_churn=[0.5] * 151 + [nan], value_low=[0.0] * 152, value_high=[9.0] * 152,
    )  # fmt: skip
    found = judge(orders, path, dt.date(2024, 7, 1))
    assert (found.n, found.n_unknown, found.n_unscored) == (150, 1, 50)


def test_scores_of_another_shop_are_refused(two_hundred: tuple[str, str]) -> None:
    orders, path = two_hundred
    score_files.write(Path(path), ["x", "y"], ["A", "B"], [1.0, 2.0], churn_days=30, value_days=30)
    with pytest.raises(errors.BadInput, match="none of the scored customers"):
        judge(orders, path, dt.date(2024, 7, 1))
