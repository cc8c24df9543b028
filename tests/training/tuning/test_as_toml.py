from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tiercast.contract import errors
from tiercast.training import settings
from tiercast.training.search_space import Range, Space
from tiercast.training.settings import Clv, Grid, Horizons, Rolling, Settings, Tune
from tiercast.training.tuning import as_toml

EVERYTHING = Settings(
    horizons=Horizons(churn_days=30, value_days=60),
    clv=Clv(currency='€ "soft"\\hard'),
    grid=Grid(value_cut=12.5),
    churn_trees={"num_leaves": 4, "learning_rate": 1e-05},
    value_trees={"tweedie_variance_power": 1.25},
    rolling=Rolling(feature_windows=(28, 56)),
    tune=Tune(trials=3, space=Space(learning_rate=Range(low=0.01, high=0.5, log=True))),
    columns={"customer_id": "Kunde Nr.", "customers.customer_id": "客户"},
)


@pytest.mark.parametrize("given", [Settings(), EVERYTHING])
def test_settings_come_back_as_they_went(tmp_path: Path, given: Settings) -> None:
    (tmp_path / "tuned.toml").write_text(as_toml.text(given, "a comment\nof two lines"), encoding="utf-8")
    assert settings.load(tmp_path / "tuned.toml", {}) == given


def test_what_is_as_always_is_not_written_but_for_the_horizons() -> None:
    assert tomllib.loads(as_toml.text(Settings())) == {"horizons": {"churn_days": 90, "value_days": 365}}


def refused(out: Path, config: Path | None = None) -> str:
    with pytest.raises(errors.CannotWrite) as caught:
        as_toml.check(out, config)
    return str(caught.value)


def test_a_target_that_cannot_be_is_refused_before_the_search(tmp_path: Path) -> None:
    assert "pass --out tuned.toml" in refused(tmp_path / "orders.parquet")
    (tmp_path / "folder.toml").mkdir()
    assert "--out" in refused(tmp_path / "folder.toml")
    (tmp_path / "file").touch()
    assert "--out" in refused(tmp_path / "file" / "tuned.toml")


def test_the_configuration_that_was_read_is_not_overwritten(tmp_path: Path) -> None:
    assert "would be lost" in refused(tmp_path / "a.toml", tmp_path / "b" / ".." / "a.toml")


def test_a_folder_is_made_for_the_target(tmp_path: Path) -> None:
    as_toml.check(tmp_path / "out" / "tuned.toml", None)
    assert (tmp_path / "out").is_dir()
    assert not (tmp_path / "out" / "tuned.toml").exists(), "an empty file would look like settings"
