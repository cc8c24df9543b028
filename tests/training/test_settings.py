from __future__ import annotations

from pathlib import Path

import pytest

from contract import errors
from training import settings

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
    ],
)
def test_what_is_not_allowed_is_named_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    error = refusal(write(tmp_path, text), {"value_days": 90})
    assert str(error.first).startswith(f"{place}: ")
    assert error.count


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
