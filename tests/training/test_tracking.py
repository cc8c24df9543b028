from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.entities import Run

from contract import errors
from models import bundle_folder
from tests.training.test_gates import card
from training import gates
from training.tracking import compare, log_run, lookup, measures, registry, runs, store
from training.tracking.log_run import LoggedRun
from training.train import Trained


@pytest.fixture(scope="module")
def written(
    migrated_mlflow: Path, trained: Trained, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, LoggedRun]:
    """A store in which the small training was logged and registered, and what `log` said of it."""
    folder = tmp_path_factory.mktemp("written")
    (folder / "mlruns").mkdir()
    shutil.copyfile(migrated_mlflow, folder / "mlruns" / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        store.connect(folder)
        logged = log_run.log(trained, folder / "bundle", register=True, extra={"data_rows": 4321})
    return folder, logged


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


def registered(scorecard: dict[str, Any]) -> str:
    """A run with this scorecard and nothing else, as the newest version of `tiercast`; returns the version."""
    client = mlflow.MlflowClient()
    with mlflow.start_run(experiment_id=store.experiment_id(), tags={log_run.KIND: log_run.TRAINING}) as run:
        mlflow.log_dict(scorecard, log_run.SCORECARD)
    if not client.search_registered_models():
        client.create_registered_model("tiercast")
    made = client.create_model_version("tiercast", run.info.artifact_uri, run.info.run_id)
    return str(made.version)


def champion() -> str:
    return str(mlflow.MlflowClient().get_model_version_by_alias("tiercast", "champion").version)


def tags(version: str) -> dict[str, str]:
    return dict(mlflow.MlflowClient().get_model_version("tiercast", version).tags)


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
    assert params["trees.most_rounds"] == "30"
    assert params["data"] == trained.data
    assert params["data_rows"] == "4321"
    assert float(params["bgnbd.r"]) == trained.closed_form.orders.params.r
    assert float(params["gamma_gamma.log_likelihood"]) == trained.closed_form.money.log_likelihood
    assert params["value.level_rule"] == trained.final.value.level.rule


def test_every_number_of_the_scorecard_becomes_a_metric_with_its_interval(logged: LoggedRun, trained: Trained) -> None:
    metrics, models = the_run(logged).data.metrics, trained.bundle.scorecard["churn"]["models"]
    ours, theirs = models["tiercast"]["auc"], models["btyd"]["auc"]
    assert [metrics[f"churn_auc{end}"] for end in ("_low", "", "_high")] == [ours["low"], ours["value"], ours["high"]]
    assert metrics["baseline/btyd/churn_auc"] == theirs["value"]
    assert metrics["value_coverage"] == trained.bundle.scorecard["value"]["intervals"]["overall"]["coverage"]


def test_a_metric_that_does_not_exist_is_left_out() -> None:
    constant = {"spearman": {"value": float("nan"), "low": float("nan"), "high": float("nan")}}
    assert measures.of({"value": {"models": {"zero": constant}}}) == {}


def test_the_loss_of_each_round_is_a_curve(logged: LoggedRun, trained: Trained) -> None:
    history = mlflow.MlflowClient().get_metric_history(logged.run_id, "churn_loss")
    assert [point.step for point in history] == list(range(1, len(trained.final.churn.losses) + 1))
    assert [point.value for point in history] == trained.final.churn.losses.tolist()


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
    value = {"decile_lift", "frequency_bins", "interval_coverage", "ngini", "mae", "importance", "weekly_orders"}
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
    assert kinds <= {".png", ".json", ".txt", ".yaml", ""}


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
    from training.tracking import model

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


def test_a_comparison_shows_what_differs_and_numbers_with_intervals(connected: Path) -> None:
    one = run_with(
        {**HORIZONS, "trees.num_leaves": 8, "data": "aa"}, churn_auc=0.8, churn_auc_low=0.7, churn_auc_high=0.9
    )
    two = run_with(
        {**HORIZONS, "trees.num_leaves": 16, "data": "bb"}, churn_auc=0.82, churn_auc_low=0.8, churn_auc_high=0.9
    )
    found = compare.compare([one, two])
    assert found.parameters == {"trees.num_leaves": ("8", "16"), "data": ("aa", "bb")}
    assert found.metrics == {"churn_auc": ((0.8, 0.7, 0.9), (0.82, 0.8, 0.9))}
    assert found.caveats == ("The runs saw different data.",)


def test_runs_with_other_horizons_are_not_comparable(connected: Path) -> None:
    one, two = run_with(HORIZONS), run_with({**HORIZONS, "horizons.value_days": 180})
    with pytest.raises(errors.BadInput, match=r"not comparable(.|\n)*value 365 d against churn 90 d, value 180 d"):
        compare.compare([one, two])


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


# --- promotion


def test_a_model_that_passes_every_gate_becomes_champion(connected: Path) -> None:
    version = registered(card())
    promoted = registry.promote(version, who="ana", why="first one")
    assert (promoted.version, promoted.before, promoted.waived) == ("1", None, ())
    assert champion() == "1"
    found = tags("1")
    assert (found["promoted_by"], found["why"], found["gates_waived"]) == ("ana", "first one", "")
    assert found["gate_G1"] == "auc 0.9000 (required above 0.8500 of btyd)"
    assert found["promoted_at"].endswith("+00:00")


def test_a_run_is_promoted_by_its_id_too(connected: Path) -> None:
    registered(card())
    run_id = lookup.versions("tiercast")[0].run_id
    assert registry.promote(str(run_id), who="ana").version == "1"


def test_a_failed_gate_refuses_with_exit_code_3_and_is_quoted(connected: Path) -> None:
    version = registered(card(churn_auc=0.8, value_bias=0.3))
    with pytest.raises(errors.GateRefused) as refused:
        registry.promote(version, who="ana")
    assert refused.value.exit_code == 3
    assert (refused.value.count, refused.value.total) == (2, 7)
    assert "G1 Churn is ranked better" in str(refused.value)
    assert "G6 The total is right: bias +30.0%" in str(refused.value)
    assert lookup.aliases("tiercast") == {}


def test_a_gate_is_waived_only_with_a_reason_which_is_written_down(connected: Path) -> None:
    version = registered(card(churn_auc=0.8))
    with pytest.raises(errors.BadInput, match="--why"):
        registry.promote(version, who="ana", force=True, why=" ")
    promoted = registry.promote(version, who="ana", force=True, why="the old one is broken")
    assert promoted.waived == ("G1",)
    assert (tags(version)["gates_waived"], tags(version)["why"]) == ("G1", "the old one is broken")


def test_rolling_back_twice_goes_back_two_champions(connected: Path) -> None:
    for _ in range(3):
        registry.promote(registered(card()), who="ana")
    assert champion() == "3"
    assert registry.rollback("complaints", who="ben") == ("2", "3")
    assert registry.rollback("still", who="ben") == ("1", "2")
    assert champion() == "1"
    assert (tags("3")["rolled_back_by"], tags("3")["rolled_back_why"]) == ("ben", "complaints")
    with pytest.raises(errors.BadInput, match="no champion before"):
        registry.rollback("more", who="ben")


def test_a_champion_made_by_hand_is_part_of_the_history(connected: Path) -> None:
    first, second = registered(card()), registered(card())
    mlflow.MlflowClient().set_registered_model_alias("tiercast", "champion", first)
    assert registry.promote(second, who="ana").before == first
    assert registry.rollback("no", who="ana").version == first


def test_a_deleted_version_is_passed_over_on_the_way_back(connected: Path) -> None:
    for _ in range(3):
        registry.promote(registered(card()), who="ana")
    mlflow.MlflowClient().delete_model_version("tiercast", "2")
    assert registry.rollback("no", who="ana").version == "1"


def test_promoting_the_champion_again_changes_no_history(connected: Path) -> None:
    first, second = registered(card()), registered(card())
    for version in (first, second, second):
        registry.promote(version, who="ana")
    assert registry.rollback("no", who="ana").version == first


def test_a_challenger_that_becomes_champion_is_no_longer_challenger(connected: Path) -> None:
    version = registered(card())
    mlflow.MlflowClient().set_registered_model_alias("tiercast", "challenger", version)
    registry.promote(version, who="ana")
    assert lookup.aliases("tiercast") == {"1": ("champion",)}


def test_there_is_nothing_to_roll_back_before_the_first_promotion(connected: Path) -> None:
    with pytest.raises(errors.BadInput, match="registered under this name"):
        registry.rollback("no", who="ana")
    registered(card())
    with pytest.raises(errors.BadInput, match="no champion"):
        registry.rollback("no", who="ana")


def test_an_unknown_version_is_refused(connected: Path) -> None:
    registered(card())
    with pytest.raises(errors.BadInput, match="no such version"):
        registry.promote("7", who="ana")


def test_limits_of_the_gates_can_be_set_for_a_promotion(connected: Path) -> None:
    version = registered(card(churn_ece=0.04))
    assert registry.promote(version, who="ana", limits=gates.Limits(ece=0.05)).waived == ()
