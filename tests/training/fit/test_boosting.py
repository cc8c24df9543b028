from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from pandas.testing import assert_frame_equal

from tests import small_training
from tiercast.features import reading
from tiercast.features.engines.duckdb import Engine
from tiercast.training import train
from tiercast.training.fit import boosting, churn_model
from tiercast.training.fit.boosting import Choice, Task
from tiercast.training.windows import sampling, schedule
from tiercast.training.windows.schedule import Fold
from tiercast.training.windows.snapshots import Snapshots

SETTINGS = small_training.SETTINGS.model_copy(
    update={"rolling": small_training.SETTINGS.rolling.model_copy(update={"most_windows": 6, "most_folds": 2})}
)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshots]:
    source = small_training.every_sixteenth_customer(tmp_path_factory.mktemp("purchases") / "purchases.parquet")
    with Engine(threads=1) as engine:
        known = reading.read(engine, reading.Sources(str(source)), small_training.AS_OF)
        span = known.report.first_on, known.as_of
        yield train.snapshots_of(engine, sampling.draw(engine, known.tables, 0).tables, span, SETTINGS)


@pytest.fixture(scope="module")
def chosen(history: Snapshots) -> tuple[Task, tuple[Fold, ...], Choice]:
    """Two folds that stop on their own at different rounds."""
    dates = schedule.plan(history.first_on, history.known_until, SETTINGS.horizons.churn_days, 6)
    folds = schedule.folds(history.all_at(dates), SETTINGS.horizons.churn_days, 2)
    task = churn_model.task(history.spec.names, ())
    return task, folds, boosting.choose_rounds(task, folds, SETTINGS.trees, SETTINGS.rolling)


def test_every_fold_is_judged_with_as_many_trees_as_the_final_model_has(
    chosen: tuple[Task, tuple[Fold, ...], Choice],
) -> None:
    _, folds, choice = chosen
    assert len(folds) == 2
    assert [trees.booster.num_trees() for trees in choice.by_fold] == [choice.rounds] * 2


def test_a_folds_trees_are_those_that_its_own_past_alone_would_grow(
    chosen: tuple[Task, tuple[Fold, ...], Choice],
) -> None:
    task, folds, choice = chosen
    for fold, trees in zip(folds, choice.by_fold, strict=True):
        alone = boosting.grow(task, fold.train, choice.rounds, SETTINGS.trees, SETTINGS.rolling)
        assert_frame_equal(trees.booster.trees_to_dataframe(), alone.booster.trees_to_dataframe())


def test_a_fold_that_had_stopped_before_grows_on(chosen: tuple[Task, tuple[Fold, ...], Choice]) -> None:
    """The first fold stopped after one round, the second was still gaining at the fifth."""
    task, folds, _ = chosen
    told, rolling = SETTINGS.trees, SETTINGS.rolling
    short = boosting.Watched(boosting.grow(task, folds[0].train, 1, told, rolling).booster, np.array([0.5]))
    long = boosting.Watched(boosting.grow(task, folds[1].train, 5, told, rolling).booster, np.linspace(0.5, 0.1, 5))
    choice = boosting.settle(task, folds, [short, long], told, rolling)
    assert choice.rounds == 5
    assert [trees.booster.num_trees() for trees in choice.by_fold] == [5, 5]


def test_what_grew_after_a_folds_own_best_round_is_kept(chosen: tuple[Task, tuple[Fold, ...], Choice]) -> None:
    task, folds, _ = chosen
    for fold in folds:
        grown = boosting.watch(task, fold, SETTINGS.trees, SETTINGS.rolling)
        assert grown.losses.argmin() + 1 < len(grown.losses), "else nothing grew after it"
        assert grown.booster.num_trees() == len(grown.losses)
