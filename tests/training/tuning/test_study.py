from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tiercast.contract import errors
from tiercast.training.search_space import Range
from tiercast.training.tuning.study import Study, Trial, Values

RANGES = {"x": Range(low=-2.0, high=2.0), "n": Range(low=1, high=64, log=True)}
ABOUT: dict[str, object] = {"data": "abc", "trees.num_leaves": 8}


def bowl(values: Values) -> Iterator[float]:
    """Lowest at x = 1, whatever n; two folds that agree."""
    yield (values["x"] - 1) ** 2
    yield (values["x"] - 1) ** 2


def searched(path: Path, most: int, seed: int = 7) -> list[Trial]:
    return list(Study(path, "churn", RANGES, ABOUT).search(most, seed, bowl, n_folds=2))


def values(trials: list[Trial]) -> list[Values]:
    return [trial.values for trial in trials]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search of twenty trials that nobody stopped. Only to be read."""
    path = tmp_path_factory.mktemp("whole") / "tune.db"
    searched(path, 20)
    return path


def trials_of(path: Path) -> list[Trial]:
    return list(Study(path, "churn", RANGES, ABOUT).trials())


def test_a_search_finds_the_bottom_of_a_bowl(whole: Path) -> None:
    best = min(trials_of(whole), key=lambda trial: trial.loss)
    assert best.loss == (best.values["x"] - 1) ** 2 < 0.05


def test_every_value_lies_in_its_range_and_can_be_written_down(whole: Path) -> None:
    for tried in values(trials_of(whole)):
        assert -2 <= tried["x"] <= 2
        assert tried["x"] == float(f"{tried['x']:.4g}")
        assert tried["n"] in range(1, 65)


def test_a_search_that_is_continued_ends_as_if_it_had_never_stopped(whole: Path, tmp_path: Path) -> None:
    for most in (1, 13):
        searched(tmp_path / "parts.db", most)
    assert len(searched(tmp_path / "parts.db", 20)) == 7, "what was finished is not done again"
    assert trials_of(tmp_path / "parts.db") == trials_of(whole)


def test_another_seed_is_another_search(whole: Path, tmp_path: Path) -> None:
    assert values(searched(tmp_path / "tune.db", 1, seed=8)) != values(trials_of(whole)[:1])


def test_a_trial_that_was_running_when_its_process_was_killed_is_tried_again(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "tune.db"

    def killed(_: Values) -> Iterator[float]:
        yield 0.0
        raise KeyboardInterrupt

    searched(path, 2)
    with pytest.raises(KeyboardInterrupt):
        list(Study(path, "churn", RANGES, ABOUT).search(4, 7, killed, n_folds=2))
    searched(path, 4)
    assert trials_of(path) == trials_of(whole)[:4]


def test_hopeless_trials_are_cut_short_and_never_after_their_last_fold(tmp_path: Path) -> None:
    asked: list[int] = []

    def counted(tried: Values) -> Iterator[float]:
        for fold in range(3):
            asked.append(fold)
            yield (tried["x"] - 1) ** 2

    study = Study(tmp_path / "tune.db", "churn", RANGES, ABOUT)
    trials = list(study.search(14, 7, counted, n_folds=3))
    cut = [trial for trial in trials if trial.is_pruned]
    assert 0 < len(cut) < 14
    assert len(asked) < 3 * 14
    assert all(len(trial.losses) < 3 for trial in cut)
    assert all(len(trial.losses) == 3 for trial in trials if not trial.is_pruned)
    # The median rule, counted once more: cut at fold 1 when worse than the median of the complete ones before.
    for at, trial in enumerate(trials):
        before = [other.losses[0] for other in trials[:at] if not other.is_pruned]
        if len(before) >= 5:
            assert trial.is_pruned == (trial.losses[0] > np.median(before))


def test_a_trial_without_a_loss_is_the_worst(tmp_path: Path) -> None:
    study = Study(tmp_path / "tune.db", "churn", RANGES, ABOUT)
    (trial,) = study.search(1, 7, lambda _: iter([float("nan")]), n_folds=1)
    assert trial.loss == float("inf")


def test_what_matters_is_what_the_loss_depends_on(whole: Path) -> None:
    told = Study(whole, "churn", RANGES, ABOUT).importance()
    assert told["x"] > 0.8
    assert sum(told.values()) == pytest.approx(1)


def test_few_trials_do_not_tell_what_mattered(tmp_path: Path) -> None:
    searched(tmp_path / "tune.db", 2)
    assert Study(tmp_path / "tune.db", "churn", RANGES, ABOUT).importance() == {}


def test_the_defaults_are_asked_once(tmp_path: Path) -> None:
    for told in ([3.0, 2.0], [9.0, 9.0]):
        study = Study(tmp_path / "tune.db", "churn", RANGES, ABOUT)
        assert study.defaults(lambda told=told: iter(told)) == (3.0, 2.0)  # type: ignore[misc]


def test_both_models_share_a_file(tmp_path: Path) -> None:
    searched(tmp_path / "tune.db", 2)
    assert Study(tmp_path / "tune.db", "value", RANGES, {"data": "of its own"}).trials() == ()


# --- refusals


def refused(path: Path, about: dict[str, object] = ABOUT) -> errors.BadInput:
    with pytest.raises(errors.BadInput) as caught:
        Study(path, "churn", RANGES, about)
    assert "--study" in caught.value.hint
    return caught.value


def test_a_study_of_other_data_is_refused(tmp_path: Path) -> None:
    searched(tmp_path / "tune.db", 1)
    error = refused(tmp_path / "tune.db", ABOUT | {"data": "def", "trees.num_leaves": 4})
    assert error.count == 2
    assert error.first == "data was abc, now it is def"


def test_a_file_that_is_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "orders.csv"
    text.write_text("customer_id,ordered_at,amount\n", encoding="utf-8")
    database = tmp_path / "mlflow.db"
    with sqlite3.connect(database) as other:
        other.execute("create table experiments (name text)")
    other.close()
    for path in (text, database):
        before = path.read_bytes()
        assert "holds no study" in refused(path).what
        assert path.read_bytes() == before


def test_a_place_where_no_file_can_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert isinstance(refused(tmp_path / "file" / "tune.db"), errors.CannotWrite)
    assert refused(tmp_path).exit_code == 2


def test_two_searches_at_once_in_one_file_are_noticed(tmp_path: Path) -> None:
    def interrupted_by_another(_: Values) -> Iterator[float]:
        yield 0.5
        searched(tmp_path / "tune.db", 1)  # the other one takes ours for killed

    with pytest.raises(errors.BadInput) as caught:
        list(Study(tmp_path / "tune.db", "churn", RANGES, ABOUT).search(3, 7, interrupted_by_another, n_folds=2))
    assert "another search" in caught.value.what
