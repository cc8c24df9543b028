from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.entities import Run

from tiercast.contract import errors
from tiercast.models import bundle_folder
from tiercast.training import train
from tiercast.training.tracking import compare, log_run, lookup, measures, runs, store
from tiercast.training.tracking.log_run import LoggedRun
from tiercast.training.train import Trained


@pytest.fixture
def logged(written: tuple[Path, LoggedRun], mlruns: Path, monkeypatch: pytest.MonkeyPatch) -> LoggedRun:
    """The store of `written`, connected for one test that only reads."""
    folder, found = written
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    store.connect(folder)
    return found


def the_run(logged: LoggedRun) -> Run:
    return mlflow.get_run(logged.run_id)


def children(logged: LoggedRun) -> list[Run]:
    asked = f"tags.`mlflow.parentRunId` = '{logged.run_id}'"
    return list(mlflow.MlflowClient().search_runs([store.experiment_id()], asked))


def artifacts(run_id: str, under: str = "") -> set[str]:
    found = mlflow.MlflowClient().list_artifacts(run_id, under)
    return {path for item in found for path in (artifacts(run_id, item.path) if item.is_dir else {item.path})}


@pytest.fixture
def connected(mlruns: Path) -> Path:
    store.connect()
    return mlruns


# --- the store


def test_artifacts_lie_beside_the_database(connected: Path) -> None:
    found = mlflow.get_experiment_by_name(store.EXPERIMENT)
    assert found is not None
    assert found.artifact_location == (connected / "artifacts").as_uri()


def test_connecting_twice_finds_the_same_experiment(connected: Path) -> None:
    first = store.experiment_id()
    store.connect()
    assert store.experiment_id() == first


def test_a_file_that_is_no_database_is_named(tmp_path: Path, mlruns: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken.db"
    broken.write_text("not a database", encoding="ascii")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{broken}")
    with pytest.raises(errors.BadInput, match=r"broken\.db"):
        store.connect()


def test_a_server_that_does_not_answer_is_named(mlruns: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(errors.BadInput, match=r"http://127\.0\.0\.1:9"):
        store.connect()


# --- what a run holds


def test_parameters_are_flat_and_hold_settings_fits_and_the_fingerprint(logged: LoggedRun, trained: Trained) -> None:
    params = the_run(logged).data.params
    assert params["horizons.churn_days"] == "90"
    assert params["trees.rounds"] == "30"
    assert params["data"] == trained.data
    assert params["data_rows"] == "4321"
    assert float(params["bgnbd.r"]) == trained.closed_form.orders.params.r
    assert float(params["gamma_gamma.log_likelihood"]) == trained.closed_form.money.log_likelihood
    assert params["orders.model"] == "bgnbd"
    independence = trained.closed_form.independence
    assert float(params["gamma_gamma.independence_spearman"]) == independence.spearman
    assert params["gamma_gamma.independence_holds"] == str(independence.holds)
    assert params["value.level_rule"] == trained.final.value.level.rule
    weights = [float(params[f"churn.weight_{name}"]) for name in ("closed_form", "linear", "trees")]
    assert tuple(weights) == trained.bundle.churn.stack.weights


def test_every_number_of_the_scorecard_becomes_a_metric_with_its_interval(logged: LoggedRun, trained: Trained) -> None:
    metrics, models = the_run(logged).data.metrics, trained.bundle.scorecard["churn"]["models"]
    ours, theirs = models["tiercast"]["auc"], models["btyd"]["auc"]
    assert [metrics[f"churn_auc{end}"] for end in ("_low", "", "_high")] == [ours["low"], ours["value"], ours["high"]]
    assert metrics["baseline/btyd/churn_auc"] == theirs["value"]
    shares = trained.bundle.scorecard["value"]["intervals"]
    assert metrics["value_above"] == shares["overall"]["above"]
    assert metrics["value_above_low"] < metrics["value_above"] < metrics["value_above_high"]
    assert metrics["value_above/A"] == shares["A"]["above"]


def test_a_metric_that_does_not_exist_is_left_out() -> None:
    constant = {"spearman": {"value": float("nan"), "low": float("nan"), "high": float("nan")}}
    assert measures.flatten({"value": {"models": {"zero": constant}}}) == {}


def test_every_step_is_timed(logged: LoggedRun, trained: Trained) -> None:
    metrics = the_run(logged).data.metrics
    found = {name.removeprefix("seconds/"): took for name, took in metrics.items() if name.startswith("seconds/")}
    assert found.pop("total") == pytest.approx(sum(found.values()))
    assert found == trained.seconds
    assert set(found) == set(train.STEPS)


def test_the_grades_are_tags_and_their_gains_metrics(logged: LoggedRun, trained: Trained) -> None:
    run, card = the_run(logged), trained.bundle.scorecard
    assert run.data.tags["grade_churn"] == card["churn"]["grade"]["letter"]
    assert run.data.metrics["value_gain_low"] == card["value"]["grade"]["gain"]["low"]
    assert runs.runs()[0].grades == {target: card[target]["grade"]["letter"] for target in ("churn", "value")}


def test_tags_say_which_day_which_data_and_which_version(logged: LoggedRun, trained: Trained) -> None:
    found = the_run(logged).data.tags
    assert found["as_of"] == "1998-07-01"
    assert found["data"] == trained.data
    assert found["tiercast"] == "0.1.0"


def test_the_dataset_is_named_by_its_digest_and_holds_no_row(logged: LoggedRun, trained: Trained) -> None:
    inputs = the_run(logged).inputs
    assert inputs is not None
    [given] = inputs.dataset_inputs
    assert given.dataset.digest == trained.data
    written = json.dumps([given.dataset.schema, given.dataset.source, given.dataset.profile])
    ids = trained.final.now.customer_id.to_pylist()
    assert not any(customer in written for customer in ids)


def test_each_window_the_model_was_judged_on_is_a_child_run(logged: LoggedRun, trained: Trained) -> None:
    found = {run.info.run_name: run for run in children(logged)}
    assert trained.churn is not None
    assert trained.value is not None
    churn = found[f"churn holdout {trained.churn.as_of}"]
    value = found[f"value holdout {trained.value.judged.as_of}"]
    assert churn.data.metrics["churn_auc"] == the_run(logged).data.metrics["churn_auc"]
    assert "value_mae" not in churn.data.metrics
    assert value.data.params["days"] == "120"
    backtests = [name for name in found if name.startswith("value backtest")]
    assert len(backtests) == len(trained.final.value.unseen) == 1
    assert found[backtests[0]].data.metrics["value_ngini"] > 0


def test_figures_of_churn_value_and_the_grid_are_logged(logged: LoggedRun) -> None:
    found = {path.removeprefix("figures/") for path in artifacts(logged.run_id, "figures")}
    churn = {"reliability", "lift_and_gain", "campaign_profit", "auc", "brier", "importance"}
    value = {"decile_lift", "frequency_bins", "ranges", "ngini", "mae", "importance", "weekly_orders"}
    wanted = {f"churn/{name}.png" for name in churn} | {f"value/{name}.png" for name in value} | {"grid.png"}
    assert found == wanted | {"btyd/lifetimes_alive.png", "btyd/lifetimes_orders.png"}


def test_the_bundle_on_disk_and_in_the_run_knows_its_run_and_version(
    logged: LoggedRun, written: tuple[Path, LoggedRun]
) -> None:
    on_disk = bundle_folder.load(written[0] / "bundle")
    assert on_disk.about.model == f"tiercast/1/{logged.run_id}"
    assert {"bundle/manifest.json", "bundle/model.json", "scorecard.json"} <= artifacts(logged.run_id)


def test_nothing_that_was_logged_can_execute(logged: LoggedRun, written: tuple[Path, LoggedRun]) -> None:
    kinds = {path.suffix for path in (written[0] / "mlruns" / "artifacts").rglob("*") if path.is_file()}
    assert kinds <= {".png", ".json", ".txt", ".yaml", ".parquet", ""}


def test_a_new_version_is_the_challenger_and_nobody_is_champion(logged: LoggedRun) -> None:
    assert logged.version == "1"
    assert lookup.aliases("tiercast") == {"1": ("challenger",)}


def test_without_register_there_is_a_run_and_no_version(connected: Path, trained: Trained, tmp_path: Path) -> None:
    plain = trained._replace(churn=None, value=None, bundle=trained.bundle._replace(scorecard={"notes": []}))
    logged = log_run.log(plain, tmp_path / "bundle", register=False)
    assert logged.version is None
    assert bundle_folder.load(tmp_path / "bundle").about.model == f"tiercast/{logged.run_id}"
    with pytest.raises(errors.BadInput, match="--register"):
        lookup.version(logged.run_id, "tiercast")


def test_a_version_is_taken_back_when_its_bundle_cannot_be_written(
    connected: Path, trained: Trained, tmp_path: Path
) -> None:
    from tiercast.training.tracking import model

    foreign = tmp_path / "somebody"
    foreign.mkdir()
    (foreign / "else.txt").write_text("mine", encoding="ascii")
    with mlflow.start_run(experiment_id=store.experiment_id()), pytest.raises(errors.CannotWrite):
        model.log(trained.bundle, foreign, {}, register=True)
    assert lookup.versions("tiercast") == []


# --- runs and comparison


def test_runs_lists_trainings_with_numbers_versions_and_aliases(logged: LoggedRun, trained: Trained) -> None:
    [row] = runs.runs()
    assert (row.run_id, row.as_of, row.status) == (logged.run_id, "1998-07-01", "FINISHED")
    assert row.churn_auc == trained.bundle.scorecard["churn"]["models"]["tiercast"]["auc"]["value"]
    assert (row.version, row.aliases) == ("1", ("challenger",))


def run_with(params: dict[str, Any], **metrics: float) -> str:
    with mlflow.start_run(experiment_id=store.experiment_id(), tags={log_run.KIND: log_run.TRAINING}) as run:
        mlflow.log_params(params)
        mlflow.log_metrics(metrics)
    return str(run.info.run_id)


HORIZONS = {"horizons.churn_days": 90, "horizons.value_days": 365}


def test_a_comparison_of_runs_that_kept_nothing_shows_what_was_logged(connected: Path) -> None:
    metrics = {"churn_auc": 0.8, "churn_auc_low": 0.7, "churn_auc_high": 0.9}
    one, two = (run_with({**HORIZONS, "trees.num_leaves": leaves}, **metrics) for leaves in (8, 16))
    found = compare.compare([one, two])
    assert found.settings == {"trees.num_leaves": ("8", "16")}
    assert found.metrics == {"churn_auc": ((0.8, 0.7, 0.9), (0.8, 0.7, 0.9))}
    assert not found.against[0].differences["churn_auc"].is_paired


@pytest.mark.parametrize("other", ["0" * 32, "child", "elsewhere"])
def test_only_trainings_can_be_compared(connected: Path, other: str) -> None:
    one = run_with(HORIZONS)
    if other == "child":
        with mlflow.start_run(experiment_id=store.experiment_id()) as child:
            other = child.info.run_id
    elif other == "elsewhere":
        with mlflow.start_run(experiment_id=mlflow.create_experiment("elsewhere")) as foreign:
            other = foreign.info.run_id
    with pytest.raises(errors.BadInput, match=r"no such run|not one of|a part"):
        compare.compare([one, other])


def test_forecasts_that_were_moved_away_are_said(logged: LoggedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(**_: Any) -> str:
        raise OSError("gone")

    monkeypatch.setattr(mlflow.artifacts, "download_artifacts", gone)
    with pytest.raises(errors.BadInput, match="forecasts cannot be read"):
        compare.subjects([logged.run_id])


def test_an_unknown_run_another_experiments_run_and_a_child_are_refused(connected: Path) -> None:
    with mlflow.start_run(experiment_id=mlflow.create_experiment("elsewhere")) as foreign:
        pass
    with mlflow.start_run(experiment_id=store.experiment_id()) as child:
        pass
    for run_id, words in (
        ("0" * 32, "no such run"),
        (foreign.info.run_id, "not one of"),
        (child.info.run_id, "a part"),
    ):
        with pytest.raises(errors.BadInput, match=words):
            lookup.training(run_id)


def test_the_beginning_of_a_run_id_is_enough_while_only_one_run_has_it(connected: Path) -> None:
    run_id = run_with(HORIZONS)
    assert lookup.training(run_id[:8]).info.run_id == run_id
    with pytest.raises(errors.BadInput, match="no such run"):
        lookup.training(run_id[:5])
