from __future__ import annotations

from pathlib import Path

import pytest

from tiercast.contract import errors
from tiercast.training import settings

FULL = """
[horizons]
churn_days = 60
[clv]
monthly_rate = 0.01
currency = "EUR"
[grid]
value_top_share = 0.1
[rolling]
feature_windows = [28, 56]
[columns]
customer_id = "CustomerID"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "tiercast.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path | None, horizons: dict[str, int] | None = None) -> errors.BadInput:
    with pytest.raises(errors.BadInput) as caught:
        settings.load(path, horizons or {})
    error = caught.value
    assert error.exit_code == 2
    assert error.what
    assert error.first
    assert error.hint
    return error


def test_a_file_sets_what_it_names_and_leaves_the_rest(tmp_path: Path) -> None:
    chosen = settings.load(write(tmp_path, FULL), {})
    assert chosen.horizons.both == (60, 365)
    assert (chosen.clv.monthly_rate, chosen.clv.currency) == (0.01, "EUR")
    assert (chosen.grid.value_top_share, chosen.grid.p_churn_cut) == (0.1, 0.5)
    assert chosen.rolling.feature_windows == (28, 56)
    assert chosen.columns == {"customer_id": "CustomerID"}
    assert chosen.trees == settings.Trees()


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    assert settings.load(write(tmp_path, FULL), {"churn_days": 30}).horizons.both == (30, 365)


def test_without_a_file_everything_is_as_documented() -> None:
    assert settings.load(None, {}) == settings.Settings()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[tree]\nnum_leaves = 4", "tree"),
        ("[trees]\nnum_leafs = 4", "trees.num_leafs"),
        ("[grid]\np_churn_cut = 1.0", "grid.p_churn_cut"),
        ("[grid]\nvalue_cut = inf", "grid.value_cut"),
        ("[clv]\nmonthly_rate = nan", "clv.monthly_rate"),
        ("[horizons]\nchurn_days = 0", "horizons.churn_days"),
        ("[horizons]\nchurn_days = 'soon'", "horizons.churn_days"),
        ("[horizons]\nchurn_days = 1.5", "horizons.churn_days"),
        ("horizons = 5", "horizons"),
        ("horizons = ['churn_days']", "horizons"),
        ("columns = 5", "columns"),
        ("[rolling]\nfeature_windows = []", "rolling.feature_windows"),
        ("[rolling]\nfeature_windows = [0]", "rolling.feature_windows.0"),
        ("[rolling]\nseed = -1", "rolling.seed"),
        ("[churn_trees]\nnum_leafs = 4", "churn_trees"),
        ("[value_trees]\nnum_leaves = 1", "value_trees"),
        ("[tune]\ntrials = 0", "tune.trials"),
        ("[tune.space]", "tune.space"),
        ("[tune.space]\nnum_leafs = [4, 8]", "tune.space.num_leafs"),
        ("[tune.space]\nmost_rounds = [4, 8]", "tune.space.most_rounds"),
        ("[tune.space]\nnum_leaves = [8, 4]", "tune.space.num_leaves"),
        ("[tune.space]\nnum_leaves = [4, 4]", "tune.space.num_leaves"),
        ("[tune.space]\nnum_leaves = [4]", "tune.space.num_leaves"),
        ("[tune.space]\nnum_leaves = 4", "tune.space.num_leaves"),
        ("[tune.space]\nnum_leaves = [4, 1000]", "tune.space"),
        ("[tune.space]\nnum_leaves = [4.5, 8]", "tune.space"),
        ("[tune.space]\nlambda_l2 = {low = 0, high = 9, log = true}", "tune.space.lambda_l2"),
        ("[tune.space]\nlambda_l2 = {low = 1, high = 9, step = 2}", "tune.space.lambda_l2.step"),
    ],
)
def test_an_invalid_setting_is_named_by_its_key(tmp_path: Path, text: str, place: str) -> None:
    error = refusal(write(tmp_path, text), {"value_days": 90})
    assert str(error.first).startswith(f"{place}: ")
    assert error.count


def test_each_model_has_the_shared_trees_but_for_what_is_said_of_its_own(tmp_path: Path) -> None:
    text = "[trees]\nnum_leaves = 5\nlambda_l2 = 3\n[churn_trees]\nnum_leaves = 9"
    chosen = settings.load(write(tmp_path, text), {})
    assert (chosen.trees_of("churn").num_leaves, chosen.trees_of("value").num_leaves) == (9, 5)
    assert chosen.trees_of("churn").lambda_l2 == chosen.trees_of("value").lambda_l2 == 3


def test_a_space_that_is_given_replaces_the_usual_one(tmp_path: Path) -> None:
    space = settings.load(write(tmp_path, "[tune.space]\nlambda_l2 = [1, 9]\nnum_leaves = [4.0, 8]"), {}).tune.space
    assert list(space.named()) == ["num_leaves", "lambda_l2"]
    assert [type(end) for end in (space.named()["num_leaves"].low, space.named()["lambda_l2"].low)] == [int, float]


def test_the_usual_space_holds_what_trees_may_be() -> None:
    usual = settings.Tune().space
    assert settings.Tune.model_validate({"space": usual.model_dump()}).space == usual
    assert all(each.low <= getattr(settings.Trees(), name) <= each.high for name, each in usual.named().items())


def test_all_faults_are_counted(tmp_path: Path) -> None:
    assert refusal(write(tmp_path, "[trees]\na = 1\nb = 2\n[grid]\nc = 3")).count == 3


def test_a_horizon_of_the_command_line_is_judged_too() -> None:
    assert "command line" in refusal(None, {"churn_days": -3}).hint


@pytest.mark.parametrize("text", ["[trees", "= 3", "[trees]\nnum_leaves = 4\n[trees]\n"])
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, text: str) -> None:
    assert "tiercast.toml" in str(refusal(write(tmp_path, text)).first)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    refusal(tmp_path / "nowhere.toml")
    refusal(tmp_path)
    (tmp_path / "tiercast.toml").write_bytes(b"\xff\xfe\x00")
    refusal(tmp_path / "tiercast.toml")


def test_settings_cannot_be_changed_once_made() -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings.Settings().horizons.churn_days = 3  # type: ignore[misc]


def test_the_order_model_is_one_of_four_words(tmp_path: Path) -> None:
    assert settings.load(None, {}).clv.model == "bgnbd"
    assert settings.load(write(tmp_path, '[clv]\nmodel = "auto"\n'), {}).clv.model == "auto"
    assert "clv.model" in str(refusal(write(tmp_path, '[clv]\nmodel = "nbd"\n')).first)
