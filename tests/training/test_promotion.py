from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import pytest

from contract import errors
from tests.training.test_gates import card
from training import gates
from training.tracking import log_run, lookup, registry, store


@pytest.fixture
def connected(mlruns: Path) -> Path:
    store.connect()
    return mlruns


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
