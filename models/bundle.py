"""Everything needed to score, in memory. `models.bundle_folder` reads and writes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

from tiercast.contract import errors
from tiercast.features.spec import FeatureSpec
from tiercast.models.btyd import Btyd
from tiercast.models.churn import ChurnModel
from tiercast.models.intervals import Intervals
from tiercast.models.reference import Reference
from tiercast.models.value import ValueModel
from tiercast.tiers.grid import Cuts

FORMAT = 3
WEAK = "D"


class About(NamedTuple):
    """Where the bundle comes from and what its numbers mean. Horizons in days.

    `churn_rule` and `value_rule` name the plain rule that forecasts instead of the stack, because it forecast the
    holdout better beyond noise; empty otherwise. `churn_testable_on` and `value_testable_on` are the first ISO dates on
    which a holdout could judge what is untested now, because history is too short; empty where a holdout has judged.
    `blocked` names the targets for which there was too little data, where the training was made all the same.
    `reading` has the options that the data were read with, as JSON (see `features.reading.reading_options`).
    """

    as_of: dt.date
    churn_days: int
    value_days: int
    monthly_rate: float = 0.0
    currency: str = ""
    data: str = ""
    run_id: str = ""
    name: str = "tiercast"
    version: str = ""
    churn_rule: str = ""
    value_rule: str = ""
    churn_testable_on: str = ""
    value_testable_on: str = ""
    blocked: str = ""
    reading: str = ""

    @property
    def model(self) -> str:
        """The content of the score column `model`: name, version and run."""
        return "/".join(part for part in (self.name, self.version, self.run_id) if part)

    @property
    def limits(self) -> tuple[str, ...]:
        """What whoever uses the scores must know first: too little data, and a sentence per target that is untested."""
        blocked = (f"There was too little data for {self.blocked}, and the model was trained all the same.",)
        untested = {"churn": self.churn_testable_on, "value": self.value_testable_on}
        return (blocked if self.blocked else ()) + tuple(
            f"The forecast of {target} is untested: history is too short for a holdout. "
            f"It can be tested once data until {day} are there."
            for target, day in untested.items()
            if day
        )


class Bundle(NamedTuple):
    """Reasons compare a customer with `line` and `typical`.

    `line` has what each feature adds to the log-odds of churn of the typical customer at the churn cut. `typical` has
    medians, and the money per order of the typical customer at the value cut.

    `reference` holds, per feature and score, the spread that drift is measured against;
    `scorecard` has the metrics of the holdout.
    """

    about: About
    spec: FeatureSpec
    btyd: Btyd
    churn: ChurnModel
    line: Mapping[str, float]
    value: ValueModel
    intervals: Intervals
    cuts: Cuts
    typical: Mapping[str, float]
    reference: Mapping[str, Reference]
    scorecard: Mapping[str, Any]

    @property
    def weak_targets(self) -> tuple[str, ...]:
        """The targets with grade D: no better than chance or than a plain rule. Their scores come without actions."""
        grades = {target: self.scorecard.get(target, {}).get("grade", {}) for target in ("churn", "value")}
        return tuple(target for target, grade in grades.items() if grade.get("letter") == WEAK)


def dated(bundle: Bundle, as_of: dt.date) -> Bundle:
    """The bundle, for scores as of that day.

    Raises `BundleRefused` for a day before the bundle's own as_of: its parameters were fitted on what followed.
    """
    known_until = bundle.about.as_of
    if as_of < known_until:
        raise errors.BundleRefused(
            "the bundle was trained on what happened after as_of, so its scores would know their future",
            count=(known_until - as_of).days,
            unit="days",
            first=f"as_of {as_of}, bundle trained as of {known_until}",
            hint=f"pass --as-of {known_until} or later, or train a bundle with --as-of {as_of}",
        )
    return bundle._replace(about=bundle.about._replace(as_of=as_of))
