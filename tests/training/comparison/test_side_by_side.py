from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tests.training.comparison.conftest import Pair
from tiercast.contract import errors
from tiercast.training.comparison import differences, side_by_side
from tiercast.training.comparison.subject import Subject
from tiercast.training.settings import Settings

ASKED = {"horizons.churn_days": "90", "horizons.value_days": "365", "as_of": "1998-07-01", "data": "aa"}


def subject(run_id: str, params: dict[str, str] | None = None, **others: Any) -> Subject:
    at = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    empty: dict[str, Any] = {"metrics": {}, "grades": {}, "kept": {}, "windows": (), "weekly": None}
    return Subject(run_id=run_id, started_at=at, params=ASKED | (params or {}), **empty | others)


def test_two_logged_trainings_side_by_side(pair: Pair) -> None:
    found = side_by_side.compare(pair.subjects)
    assert found.run_ids == pair.run_ids
    assert set(found.settings) == {
        "trees.learning_rate", "trees.min_data_in_leaf", "trees.num_leaves", "trees.rounds",
    }  # fmt: skip
    assert found.settings["trees.num_leaves"] == ("8", "64")
    assert found.data == {}
    (against,) = found.against
    assert against.unpaired == {}
    assert all(each.is_paired for each in against.differences.values())
    assert list(against.differences) == list(differences.names())
    card = pair.other.bundle.scorecard["churn"]["models"]["tiercast"]["auc"]
    metric = found.metrics["churn_auc"][1]
    assert metric is not None
    assert metric._asdict() == card
    assert found.grades["churn"] == tuple(each.bundle.scorecard["churn"]["grade"]["letter"] for each in pair[1:3])
    assert found.seconds["total"][0] == pytest.approx(sum(pair.one.seconds.values()))


def test_a_logged_training_against_itself_is_the_same_to_the_last_customer(pair: Pair) -> None:
    (against,) = side_by_side.compare([pair.subjects[0]] * 2).against
    assert {each.verdict for each in against.differences.values()} == {"same"}
    assert {(each.value, each.low, each.high) for each in against.differences.values()} == {(0.0, 0.0, 0.0)}
    assert against.tiers is not None
    assert against.tiers.changed == 0


def test_all_others_are_compared_with_the_first(pair: Pair) -> None:
    one, other = pair.subjects
    heard: list[str] = []
    found = side_by_side.compare([one, other, one], heard.append)
    assert heard == [other.run_id[:8], one.run_id[:8]]
    assert [each.run_id for each in found.against] == [other.run_id, one.run_id]
    assert {each.verdict for each in found.against[1].differences.values()} == {"same"}


def test_a_run_without_forecasts_is_compared_by_its_intervals_and_that_is_said() -> None:
    metrics = {"churn_auc": 0.80, "churn_auc_low": 0.78, "churn_auc_high": 0.82}
    old, new = subject("old", metrics=metrics), subject("new", metrics={name: m + 0.1 for name, m in metrics.items()})
    found = side_by_side.compare([old, new])
    (against,) = found.against
    assert (against.differences["churn_auc"].is_paired, against.differences["churn_auc"].verdict) == (False, "better")
    assert against.tiers is None
    assert any("churn: not paired, for a run keeps no forecasts" in caveat for caveat in found.caveats)


def test_stability_is_the_range_over_earlier_windows() -> None:
    swings = ({"value_ngini": 0.7}, {"value_ngini": 0.8}, {"value_ngini": 0.6})
    found = side_by_side.compare([subject("a", windows=swings), subject("b", windows=swings[:1])])
    one, other = found.stability["value_ngini"]
    assert one is not None
    assert other is not None
    assert (one.windows, one.lowest, one.highest) == (3, 0.6, 0.8)
    assert one.mean == pytest.approx(0.7)
    assert one.deviation == pytest.approx(0.1)  # of .7, .8, .6: sqrt((0 + .01 + .01) / 2)
    assert (other.windows, other.deviation) == (1, None)


def test_parameters_are_told_apart_as_data_settings_and_what_came_out() -> None:
    changed = {"data": "bb", "trees.num_leaves": "16", "bgnbd.r": "0.3"}
    found = side_by_side.compare([subject("a"), subject("b", changed)])
    assert found.data == {"data": ("aa", "bb")}
    assert found.settings == {"trees.num_leaves": (None, "16")}
    assert found.fitted == {"bgnbd.r": (None, "0.3")}
    assert "The runs saw different data." in found.caveats


def test_other_horizons_answer_another_question() -> None:
    with pytest.raises(errors.BadInput, match=r"not comparable(.|\n)*value 365 d against churn 90 d, value 180 d"):
        side_by_side.compare([subject("a"), subject("b", {"horizons.value_days": "180"})])


def test_one_training_alone_is_no_comparison() -> None:
    with pytest.raises(errors.BadInput, match="two runs or more"):
        side_by_side.compare([subject("a")])


def test_settings_are_named_as_runs_name_them() -> None:
    told = Settings(value_trees={"num_leaves": 4})
    logged = told.of_training()
    assert logged["trees.num_leaves"] == 8
    assert {"horizons.churn_days", "grid.value_band", "value_trees.num_leaves"} < set(logged)
    assert all(side_by_side.is_setting(name) for name in logged)
    assert side_by_side.settings() == {name: str(value) for name, value in Settings().of_training().items()}
    assert not any(side_by_side.is_setting(name) for name in ("bgnbd.alpha", "tune.trials", "value.rounds"))
