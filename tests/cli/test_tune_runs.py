from __future__ import annotations

from pathlib import Path

import mlflow
import pytest

from tests import command_line, small_training
from tiercast.models import bundle_folder
from tiercast.training import settings
from tiercast.training.tracking import store, tuning

QUICK = """
[horizons]
churn_days = 90
value_days = 90
[trees]
rounds = 10
[rolling]
most_windows = 4
most_folds = 1
bootstrap_draws = 20
threads = 1
feature_windows = [90]
[tune.space]
num_leaves = [3, 16]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with orders.parquet and tiercast.toml."""
    folder = tmp_path_factory.mktemp("tuning")
    small_training.every_sixteenth_customer(folder / "orders.parquet")
    (folder / "tiercast.toml").write_text(QUICK, encoding="utf-8")
    return folder


def tune(place: Path, *more: object) -> tuple[object, ...]:
    return ("tune", "orders.parquet", "--as-of", "1998-07-01", "--config", "tiercast.toml", "--trials", 2, *more)


@pytest.mark.slow
def test_tuning_then_training_leaves_settings_a_bundle_and_two_runs_that_know_each_other(
    place: Path, mlruns: Path
) -> None:
    arguments = tune(place, "--train", "--bundle", "bundle", "--register", "--json")
    summary = command_line.one_object(command_line.run(*arguments, cwd=place))
    assert summary["known_until"] == "1998-04-02"
    assert {name: result["trials"] for name, result in summary["tuned"].items()} == {"churn": 2, "value": 2}
    chosen = settings.load(place / "out" / "tuned.toml", {})
    assert chosen.churn_trees == summary["tuned"]["churn"]["kept"]
    assert bundle_folder.load(place / "bundle").about.run_id == summary["run"]
    store.connect()
    assert mlflow.get_run(summary["run"]).data.tags[tuning.TUNED_BY] == summary["tuning_run"]

    again = command_line.run(*tune(place, "--no-mlflow"), cwd=place)
    assert again.returncode == 0, again.stderr
    assert "Churn (log loss): 2 trials" in again.stdout
    assert summary["tuned"]["churn"]["verdict"] in again.stdout
    assert again.stdout.splitlines()[-1].endswith("settings out/tuned.toml")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--register",), "add --train"),
        (("--register", "--train", "--no-mlflow"), "leave out --no-mlflow"),
        (("--out", "tiercast.toml"), "comments included, would be lost"),
        (("--out", "orders.parquet"), "--out tuned.toml"),
        (("--study", "orders.parquet", "--no-mlflow"), "holds no study"),
        (("--value-days", "400", "--no-mlflow"), "the history is too short to tune"),
        (("--train", "--bundle", "orders.parquet"), "orders.parquet"),
    ],
)
def test_what_cannot_be_is_refused_in_four_parts(place: Path, more: tuple[str, ...], message: str) -> None:
    before = (place / "orders.parquet").read_bytes()
    _, text = command_line.refusal(command_line.run(*tune(place, *more), cwd=place))
    assert message in text
    assert (place / "orders.parquet").read_bytes() == before
