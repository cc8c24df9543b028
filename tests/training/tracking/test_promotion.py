from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import pytest

from tests.training.comparison.test_gates import card
from tiercast.contract import errors
from tiercast.training.judge.limits import QualityLimits
from tiercast.training.tracking import log_run, lookup, measures, registry, store


@pytest.fixture
def connected(mlruns: Path) -> Path:
    store.connect()
    return mlruns


def registered(scorecard: dict[str, Any], **params: str) -> str:
    """A run with this scorecard and nothing else, as the newest version of `tiercast`; returns the version."""
    client = mlflow.MlflowClient()
    with mlflow.start_run(experiment_id=store.experiment_id(), tags={log_run.KIND: log_run.TRAINING}) as run:
        mlflow.log_dict(scorecard, log_run.SCORECARD)
        mlflow.log_metrics(measures.flatten(scorecard))
        mlflow.log_params(params)
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
    assert (refused.value.count, refused.value.total) == (2, 8)
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
    assert registry.promote(version, who="ana", limits=QualityLimits(ece=0.05)).waived == ()


# --- against the champion


def test_a_version_with_other_settings_is_refused_when_it_was_judged_elsewhere(connected: Path) -> None:
    first, second = registered(card(), as_of="1998-07-01"), registered(card(), **{"trees.num_leaves": "31"})
    registry.promote(first, who="ana")
    with pytest.raises(errors.GateRefused, match=r"G8 It stands against the champion: not comparable") as refused:
        registry.promote(second, who="ana")
    assert refused.value.exit_code == 3
    assert champion() == first
    promoted = registry.promote(second, who="ana", force=True, why="the shop changed")
    assert (promoted.before, promoted.waived) == (first, ("G8",))


def test_the_same_settings_a_month_later_are_promoted_without_force(connected: Path) -> None:
    first, second = (registered(card(), as_of=day) for day in ("1998-07-01", "1998-08-01"))
    registry.promote(first, who="ana")
    promoted = registry.promote(second, who="ana", why="monthly")
    assert promoted.waived == ()
    assert "noise" in tags(second)["gate_G8"] or "same" in tags(second)["gate_G8"]


def test_a_refresh_that_ranks_worse_beyond_noise_is_refused(connected: Path) -> None:
    first, second = registered(card(), as_of="1998-07-01"), registered(card(churn_auc=0.86), as_of="1998-08-01")
    registry.promote(first, who="ana")
    with pytest.raises(errors.GateRefused, match=r"G8 (.|\n)*churn_auc -0.04 .*: worse"):
        registry.promote(second, who="ana")


def test_a_champion_whose_run_is_gone_cannot_be_compared_with(connected: Path) -> None:
    first, second = registered(card()), registered(card())
    registry.promote(first, who="ana")
    mlflow.MlflowClient().delete_run(str(lookup.version(first, "tiercast").run_id))
    mlflow.MlflowClient().set_registered_model_alias("tiercast", "champion", first)
    with mlflow.start_run(experiment_id=mlflow.create_experiment("elsewhere")) as foreign:
        pass
    made = mlflow.MlflowClient().create_model_version("tiercast", foreign.info.artifact_uri, foreign.info.run_id)
    mlflow.MlflowClient().set_registered_model_alias("tiercast", "champion", made.version)
    with pytest.raises(errors.GateRefused, match=r"G8 (.|\n)*the champion's run"):
        registry.promote(second, who="ana")


def test_without_a_champion_there_is_nobody_to_stand_against(connected: Path) -> None:
    first, second = registered(card()), registered(card(), **{"trees.num_leaves": "31"})
    registry.promote(first, who="ana")
    mlflow.MlflowClient().delete_model_version("tiercast", first)
    assert registry.promote(second, who="ana").waived == ()


def test_the_registered_model_tells_who_did_what_when_and_why_newest_first(connected: Path) -> None:
    first, second = (registered(card(), as_of=day) for day in ("1998-07-01", "1998-08-01"))
    registry.promote(first, who="ana", why="first\none")
    registry.promote(second, who="ben", why="monthly")
    registry.rollback("complaints", who="cleo")
    newest, middle, oldest = lookup.registered("tiercast").tags["promotions"].splitlines()
    assert "rolled back from version 2 to 1, by cleo | complaints" in newest
    assert "version 2 became champion after 1, by ben | monthly | G1 auc 0.9000; " in middle
    assert "version 1 became champion after none, by ana | first one | " in oldest
    assert newest[:4].isdecimal()


def test_the_log_of_promotions_stays_as_short_as_mlflow_keeps_it(connected: Path) -> None:
    version = registered(card())
    for turn in range(12):
        registry.promote(version, who="ana", why=f"turn {turn} " + "x" * 400)
    log = lookup.registered("tiercast").tags["promotions"]
    assert len(log) <= registry.LONGEST_LOG
    assert "turn 11 " in log.splitlines()[0]
