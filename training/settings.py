"""The settings of a training run, with their defaults; an unknown key is an error.

`tiercast.toml` has one table per section here, `[columns]` for renamed columns and `[reading]` for other options of
reading. The ranges of a search are in `training.search_space`.
"""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator

from tiercast.contract import settings_file
from tiercast.contract.periods import YEAR_DAYS
from tiercast.training.search_space import Frozen, Space

Share = Annotated[float, Field(gt=0, lt=1)]
Band = Annotated[float, Field(ge=0, lt=0.5)]
Days = Annotated[int, Field(ge=1, le=3650)]
Model = Literal["churn", "value"]
HINT = "pass --config an existing TOML file; docs/data.md shows one"


class Horizons(Frozen):
    """How far ahead the two questions look, in days."""

    churn_days: Days = 90
    value_days: Days = YEAR_DAYS

    @property
    def both(self) -> tuple[int, int]:
        return self.churn_days, self.value_days


class Clv(Frozen):
    """The closed form: the order model, the discount per month (0.01 is one percent), the currency's name.

    `auto` lets earlier windows choose the model.
    """

    model: Literal["bgnbd", "mbgnbd", "paretonbd", "auto"] = "bgnbd"
    monthly_rate: Annotated[float, Field(ge=0, lt=1)] = 0.0
    currency: str = ""


class Grid(Frozen):
    """Where the grid is cut: absolute numbers win over shares. Bands count only where the last tiers are given."""

    value_cut: Annotated[float, Field(gt=0)] | None = None
    value_top_share: Share = 0.2
    p_churn_cut: Share = 0.5
    value_band: Band = 0.05
    p_churn_band: Band = 0.05
    inactive_days: Annotated[float, Field(gt=0)] | None = None
    inactive_return_share: Share = 0.05


class Trees(Frozen):
    """LightGBM's settings, and how many trees are grown. Few and shallow: they are one of three members."""

    num_leaves: Annotated[int, Field(ge=2, le=256)] = 8
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.05
    min_data_in_leaf: Annotated[int, Field(ge=1)] = 50
    lambda_l2: Annotated[float, Field(ge=0)] = 10.0
    feature_fraction: Annotated[float, Field(gt=0, le=1)] = 0.6
    bagging_fraction: Annotated[float, Field(gt=0, le=1)] = 0.8
    rounds: Annotated[int, Field(ge=1, le=5000)] = 120
    tweedie_variance_power: Annotated[float, Field(gt=1, lt=2)] = 1.5


class Rolling(Frozen):
    """How many as-of dates and customers are used (0: all), and which windows (days) features look back over."""

    most_windows: Annotated[int, Field(ge=1, le=60)] = 10
    most_folds: Annotated[int, Field(ge=1, le=12)] = 3
    feature_windows: Annotated[tuple[Days, ...], Field(min_length=1)] = (30, 60, 90, 180, YEAR_DAYS)
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 7
    threads: Annotated[int, Field(ge=0)] = 0
    bootstrap_draws: Annotated[int, Field(ge=20)] = 200
    most_customers: Annotated[int, Field(ge=0)] = 500_000


class Tracking(Frozen):
    """What a run keeps: the holdout's forecasts of so many customers at most, without their ids; 0 keeps none."""

    kept_customers: Annotated[int, Field(ge=0)] = 200_000


class Tune(Frozen):
    """The number of trials and the space of `tiercast tune`. Settings outside the space stay as in `[trees]`."""

    trials: Annotated[int, Field(ge=1, le=10_000)] = 40
    space: Space = Space.usual()

    @field_validator("space")
    @classmethod
    def _as_trees_take_them(cls, space: Space) -> Space:
        """Ends that `[trees]` would refuse are refused here; whole numbers where those are whole."""
        ends = {
            name: {end: getattr(_merged(Trees(), {name: getattr(each, end)}), name) for end in ("low", "high")}
            for name, each in space.named().items()
        }
        return Space(**{name: each.model_copy(update=ends[name]) for name, each in space.named().items()})


class Settings(Frozen):
    horizons: Horizons = Horizons()
    clv: Clv = Clv()
    grid: Grid = Grid()
    trees: Trees = Trees()
    churn_trees: dict[str, int | float] = Field(default_factory=dict)
    value_trees: dict[str, int | float] = Field(default_factory=dict)
    rolling: Rolling = Rolling()
    tracking: Tracking = Tracking()
    tune: Tune = Tune()
    columns: dict[str, str] = Field(default_factory=dict)
    reading: dict[str, str] = Field(default_factory=dict)

    @field_validator("churn_trees", "value_trees")
    @classmethod
    def _known_to_trees(cls, others: dict[str, int | float], info: ValidationInfo) -> dict[str, int | float]:
        _merged(info.data.get("trees", Trees()), others)
        return others

    def of_training(self) -> dict[str, Any]:
        """What a training depends on, by dotted names: not where to tune, nor how columns are called."""
        return flat(self.model_dump(mode="json", exclude={"columns", "reading", "tune"}))

    def trees_of(self, model: Model) -> Trees:
        """`[trees]`, with what `[churn_trees]` or `[value_trees]` say otherwise.

        >>> Settings(value_trees={"num_leaves": 4}).trees_of("value").num_leaves
        4
        """
        return _merged(self.trees, self.churn_trees if model == "churn" else self.value_trees)


def _merged(trees: Trees, others: dict[str, int | float]) -> Trees:
    """Raises ValueError, naming the key."""
    try:
        return Trees.model_validate({**trees.model_dump(), **others})
    except ValidationError as error:
        found = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, found['loc']))}: {found['msg']}") from error


def flat(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as dotted names.

    >>> flat({"trees": {"num_leaves": 8}, "clv": {"currency": "GBP"}})
    {'trees.num_leaves': 8, 'clv.currency': 'GBP'}
    """
    out: dict[str, Any] = {}
    for key, value in nested.items():
        out |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return out


def load(path: pathlib.Path | None, horizons: dict[str, int]) -> Settings:
    """The file's settings (none: defaults), with the horizons of the command line on top.

    Raises `BadInput` for a file that cannot be read or a key or value that is not allowed.
    """
    data = settings_file.read(path, subject="the configuration", hint=HINT) if path else {}
    given = data.get("horizons", {})
    if isinstance(given, dict):  # anything else is for the validation below to refuse
        data["horizons"] = {**given, **horizons}
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        hint = f"correct {path or 'the command line'}; docs/data.md lists every key with its range"
        raise settings_file.refusal(error, hint=hint) from None
