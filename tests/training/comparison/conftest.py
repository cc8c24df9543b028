"""Two real trainings on the same purchases with other settings, logged to one MLflow; their ids can be searched for."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pytest

from tests import scored_tables, small_training
from tiercast.training.comparison.subject import Subject
from tiercast.training.settings import Horizons, Rolling, Settings, Trees
from tiercast.training.train import Trained

PLANT = "planted-"
QUICK = Rolling(bootstrap_draws=20, most_windows=1, most_folds=1, threads=1, feature_windows=(30, 90))
ONE = Settings(horizons=Horizons(churn_days=90, value_days=90), trees=Trees(rounds=20), rolling=QUICK)
OVERFITTED = Trees(rounds=200, num_leaves=64, learning_rate=0.5, min_data_in_leaf=1)
OTHER = ONE.model_copy(update={"trees": OVERFITTED})


class Pair(NamedTuple):
    """The folder with `mlruns`, and each training with its run's id."""

    folder: Path
    one: Trained
    other: Trained
    run_ids: tuple[str, str]
    subjects: tuple[Subject, ...]


@pytest.fixture(scope="session")
def pair(migrated_mlflow: Path, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    from tiercast.training.tracking import compare, log_run, store

    folder = tmp_path_factory.mktemp("pair")
    (folder / "mlruns").mkdir()
    shutil.copyfile(migrated_mlflow, folder / "mlruns" / "mlflow.db")
    bought = scored_tables.purchases(40)
    ids = pa.array([f"{PLANT}{each}" for each in bought["customer_id"].to_pylist()])
    source = scored_tables.write(folder, bought.set_column(0, "customer_id", ids))
    trained = [small_training.train_on(source, settings) for settings in (ONE, OTHER)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", "")  # so that whatever MLflow writes there is gone afterwards
        patch.delenv("MLFLOW_TRACKING_URI")
        store.connect(folder)
        run_ids = [log_run.log(each, folder / f"bundle_{at}", register=True).run_id for at, each in enumerate(trained)]
        subjects = tuple(compare.subjects(run_ids))
    return Pair(folder, trained[0], trained[1], (run_ids[0], run_ids[1]), subjects)


@pytest.fixture
def logged(pair: Pair, mlruns: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """The store of `pair`, connected for one test."""
    from tiercast.training.tracking import store

    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    store.connect(pair.folder)
    return pair
