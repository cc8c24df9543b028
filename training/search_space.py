"""Where `tiercast tune` looks: a range for each of LightGBM's settings that it may change."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator


class Frozen(BaseModel):
    """What all settings are: unchangeable, without unknown keys, and with numbers that are numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Range(Frozen):
    """From `low` to `high`, both included; with `log`, each doubling is as likely as any other.

    In TOML `[4, 32]`, or `{low = 0.01, high = 0.2, log = true}`.

    >>> print(Range.model_validate([4, 32]), "|", Range(low=0.01, high=0.2, log=True))
    4 to 32 | 0.01 to 0.2, log
    """

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="before")
    @classmethod
    def _from_two_numbers(cls, given: Any) -> Any:
        if isinstance(given, list | tuple) and len(given) == 2:
            return {"low": given[0], "high": given[1]}
        if not isinstance(given, dict):
            raise ValueError("a range is two numbers, [low, high], or {low = ..., high = ..., log = true}")
        return given

    @model_validator(mode="after")
    def _holds_something(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"nothing lies between {self.low} and {self.high}: low must be below high")
        if self.log and self.low <= 0:
            raise ValueError("a log range begins above 0")
        return self

    def neat(self, value: float) -> int | float:
        """The value with four digits, inside the range, so that the written settings are those of the trial.

        >>> Range(low=0.01, high=0.2, log=True).neat(0.0123456)
        0.01235
        """
        if isinstance(self.low, int) and isinstance(self.high, int):
            return int(value)
        return min(max(float(f"{value:.4g}"), self.low), self.high)

    def __str__(self) -> str:
        return f"{self.low} to {self.high}{', log' if self.log else ''}"


class Space(Frozen):
    """The settings that are searched, by LightGBM's names; the others are None and stay as they are.

    The variance power concerns the value model only.
    """

    num_leaves: Range | None = None
    learning_rate: Range | None = None
    min_data_in_leaf: Range | None = None
    lambda_l2: Range | None = None
    feature_fraction: Range | None = None
    bagging_fraction: Range | None = None
    tweedie_variance_power: Range | None = None

    @classmethod
    def usual(cls) -> Self:
        """The default space: small to medium trees."""
        return cls(
            num_leaves=Range(low=3, high=32, log=True),
            learning_rate=Range(low=0.01, high=0.2, log=True),
            min_data_in_leaf=Range(low=10, high=500, log=True),
            lambda_l2=Range(low=0.1, high=100.0, log=True),
            feature_fraction=Range(low=0.3, high=1.0),
            bagging_fraction=Range(low=0.4, high=1.0),
            tweedie_variance_power=Range(low=1.1, high=1.9),
        )

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.named():
            raise ValueError("the space names no parameter: nothing could be searched")
        return self

    def named(self) -> dict[str, Range]:
        """The parameters that are searched, in the order of this class."""
        each = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: looked for name, looked in each.items() if looked is not None}
