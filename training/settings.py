"""Everything a training run can be told, with defaults; an unknown key is an error.

`tiercast.toml` has one table per section here, and `[columns]` for renamed columns.
"""

from __future__ import annotations

import pathlib
import tomllib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contract import errors

Share = Annotated[float, Field(gt=0, lt=1)]
Band = Annotated[float, Field(ge=0, lt=0.5)]
Days = Annotated[int, Field(ge=1, le=3650)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Horizons(_Frozen):
    """How far ahead the two questions look, in days."""

    churn_days: Days = 90
    value_days: Days = 365

    @property
    def both(self) -> tuple[int, int]:
        return self.churn_days, self.value_days


class Clv(_Frozen):
    """The closed form: which model says how often, discount per month (0.01 is one percent), the currency's name.

    `auto` lets earlier windows choose the model.
    """

    model: Literal["bgnbd", "mbgnbd", "paretonbd", "auto"] = "bgnbd"
    monthly_rate: Annotated[float, Field(ge=0, lt=1)] = 0.0
    currency: str = ""


class Grid(_Frozen):
    """Where the grid is cut: absolute numbers win over shares. Bands count only where the last tiers are given."""

    value_cut: Annotated[float, Field(gt=0)] | None = None
    value_top_share: Share = 0.2
    p_churn_cut: Share = 0.5
    value_band: Band = 0.2
    p_churn_band: Band = 0.05
    inactive_days: Annotated[float, Field(gt=0)] | None = None
    inactive_return_share: Share = 0.05


class Trees(_Frozen):
    """LightGBM's settings. Few shallow trees: the closed form already explains most."""

    num_leaves: Annotated[int, Field(ge=2, le=256)] = 8
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.05
    min_data_in_leaf: Annotated[int, Field(ge=1)] = 50
    lambda_l2: Annotated[float, Field(ge=0)] = 10.0
    feature_fraction: Annotated[float, Field(gt=0, le=1)] = 0.8
    bagging_fraction: Annotated[float, Field(gt=0, le=1)] = 0.8
    most_rounds: Annotated[int, Field(ge=1, le=5000)] = 300
    rounds_without_folds: Annotated[int, Field(ge=1)] = 40
    tweedie_variance_power: Annotated[float, Field(gt=1, lt=2)] = 1.5


class Rolling(_Frozen):
    """How many as-of dates are used, and which windows (days) features look back over."""

    most_windows: Annotated[int, Field(ge=1, le=60)] = 10
    most_folds: Annotated[int, Field(ge=1, le=12)] = 3
    feature_windows: Annotated[tuple[Days, ...], Field(min_length=1)] = (30, 60, 90, 180, 365)
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 7
    threads: Annotated[int, Field(ge=0)] = 0
    bootstrap_draws: Annotated[int, Field(ge=20)] = 200


class Tracking(_Frozen):
    """What a run keeps: the holdout's forecasts of so many customers at most, without their ids; 0 keeps none."""

    kept_customers: Annotated[int, Field(ge=0)] = 200_000


class Settings(_Frozen):
    horizons: Horizons = Horizons()
    clv: Clv = Clv()
    grid: Grid = Grid()
    trees: Trees = Trees()
    rolling: Rolling = Rolling()
    tracking: Tracking = Tracking()
    columns: dict[str, str] = {}


def load(path: pathlib.Path | None, horizons: dict[str, int]) -> Settings:
    """The file's settings (none: defaults), with the horizons of the command line on top.

    Raises `BadInput` for a file that cannot be read or a key or value that is not allowed.
    """
    data = _read(path) if path else {}
    given = data.get("horizons", {})
    if isinstance(given, dict):  # anything else is for the validation below to refuse
        data["horizons"] = {**given, **horizons}
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise _refused(error, path) from error


def _read(path: pathlib.Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        hint = "pass --config an existing TOML file; docs/data.md shows one"
        raise errors.BadInput("the configuration cannot be read", first=f"{path}: {error}", hint=hint) from error


def _refused(error: ValidationError, path: pathlib.Path | None) -> errors.BadInput:
    found = error.errors()
    place = ".".join(str(part) for part in found[0]["loc"])
    return errors.BadInput(
        "settings are not allowed",
        count=len(found),
        unit="settings",
        first=f"{place}: {found[0]['msg'].lower()}",
        hint=f"correct {path or 'the command line'}; docs/data.md lists every key with its range",
    )
