"""A search in MLflow."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Run

from tiercast.training.evaluation.bootstrap import Metric
from tiercast.training.settings import Settings
from tiercast.training.tracking import log_run, runs, store, tuning
from tiercast.training.tuning import as_toml
from tiercast.training.tuning.confirm import Confirmed
from tiercast.training.tuning.study import Trial
from tiercast.training.tuning.tune import SearchResult, Tuned

TRIALS = (
    Trial(1, {"num_leaves": 4, "learning_rate": 0.02}, (0.51, 0.49), is_pruned=False),
    Trial(2, {"num_leaves": 32, "learning_rate": 0.2}, (0.6,), is_pruned=True),
)
FOUND = SearchResult(
    model="churn",
    defaults={"num_leaves": 8, "learning_rate": 0.05},
    trials=TRIALS,
    gains=(0.02, -0.2),
    best=TRIALS[0],
    confirmed=Confirmed(dt.date(2024, 1, 1), 30, 700, Metric(0.01, 0.002, 0.02), {"auc": Metric(0.003, -0.001, 0.01)}),
    values=TRIALS[0].values,
    importance={"num_leaves": 0.7, "learning_rate": 0.3},
    searched_on=(dt.date(2023, 12, 1),),
)
NOTHING = FOUND._replace(model="value", gains=(-0.1, -0.2), best=None, confirmed=None, values={}, importance={})
TUNED = Tuned(
    settings=Settings(churn_trees={"num_leaves": 4, "learning_rate": 0.02}),
    found=(FOUND, NOTHING),
    as_of=dt.date(2024, 3, 1),
    known_until=dt.date(2024, 1, 31),
    data="0123456789abcdef",
    notes=(),
)


@pytest.fixture
def logged(mlruns: Path) -> Run:
    store.connect()
    return mlflow.get_run(tuning.log(TUNED))


def children(run: Run) -> dict[str, Run]:
    asked = f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"
    found = mlflow.MlflowClient().search_runs([store.experiment_id()], asked)
    return {str(child.info.run_name): child for child in found}


def test_every_trial_is_a_child_with_its_values_and_losses(logged: Run) -> None:
    found = children(logged)
    assert set(found) == {"churn trial 1", "churn trial 2", "value trial 1", "value trial 2"}
    first, cut = found["churn trial 1"], found["churn trial 2"]
    assert first.data.params == {"num_leaves": "4", "learning_rate": "0.02"}
    history = mlflow.MlflowClient().get_metric_history(first.info.run_id, "loss")
    assert [(metric.step, metric.value) for metric in history] == [(1, 0.51), (2, 0.49)]
    assert first.data.metrics["gain"] == 0.02
    assert (first.data.tags["is_pruned"], cut.data.tags["is_pruned"]) == ("false", "true")
    assert {child.info.status for child in found.values()} == {"FINISHED"}


def test_the_run_says_what_was_searched_found_and_kept(logged: Run) -> None:
    assert logged.data.tags[log_run.KIND] == "tuning"
    assert logged.data.tags["as_of"] == "2024-03-01"
    told = logged.data.params
    assert told["churn_trees.num_leaves"] == "4"
    assert told["tune.space.num_leaves"] == "3 to 32, log"
    assert told["known_until"] == "2024-01-31"
    assert told["churn.verdict"] == FOUND.verdict
    numbers = logged.data.metrics
    assert [numbers[f"churn_gain{end}"] for end in ("", "_low", "_high", "_searched")] == [0.01, 0.002, 0.02, 0.02]
    assert numbers["churn_gain_auc"] == 0.003
    assert numbers["churn_importance/num_leaves"] == 0.7
    assert not [name for name in numbers if name.startswith("value_gain")]


def test_the_settings_and_the_history_are_kept_beside_it(logged: Run) -> None:
    text = mlflow.artifacts.load_text(f"{logged.info.artifact_uri}/{tuning.FILE}")
    assert text == as_toml.text(TUNED.settings)
    assert [item.path for item in mlflow.MlflowClient().list_artifacts(logged.info.run_id, "figures")] == [
        tuning.FIGURE
    ]


def test_a_search_is_no_training_and_a_training_can_name_its_search(logged: Run) -> None:
    assert runs.runs() == []
    with mlflow.start_run(experiment_id=store.experiment_id()) as training:
        pass
    tuning.link(training.info.run_id, logged.info.run_id)
    assert mlflow.get_run(training.info.run_id).data.tags[tuning.TUNED_BY] == logged.info.run_id


def test_a_verdict_says_gained_beyond_noise_or_not() -> None:
    assert (
        FOUND.verdict == "Gained +1.00 % (+0.20 to +2.00) on 2024-01-01 + 30 days, which the search had not seen. Kept."
    )
    assert FOUND.confirmed is not None
    noise = FOUND._replace(values={}, confirmed=FOUND.confirmed._replace(gain=Metric(0.01, -0.002, 0.02)))
    assert noise.verdict.startswith("Nothing gained beyond noise: +1.00 % (-0.20 to +2.00)")
    worse = FOUND._replace(values={}, confirmed=FOUND.confirmed._replace(gain=Metric(-0.01, -0.02, -0.002)))
    assert worse.verdict.startswith("Nothing gained: -1.00 %")
    assert NOTHING.verdict == "Nothing gained: no trial was better than the defaults. The defaults are kept."
