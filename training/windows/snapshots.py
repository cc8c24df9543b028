"""A snapshot: every buyer's features on one as-of date and, once the window has closed, their outcomes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from tiercast.contract import errors
from tiercast.contract.periods import YEAR_DAYS
from tiercast.contract.vectors import Vector
from tiercast.features import build, labels
from tiercast.features.engines import Engine
from tiercast.features.spec import FeatureSpec
from tiercast.features.tables import Tables
from tiercast.models import btyd
from tiercast.models.btyd import Btyd
from tiercast.models.frame import Frame
from tiercast.training.btyd import counts, fit_both
from tiercast.training.btyd.counts import Statistics
from tiercast.training.settings import Horizons
from tiercast.training.windows import season

OUTCOMES = ("churned", "value", "n_future_orders")


class LastYear(NamedTuple):
    """The outcome of a window: actual ÷ closed-form money, and money per customer then known."""

    ratio: float
    per_customer: float


class Snapshot(NamedTuple):
    """`features` has one row per buyer, `btyd_` columns included; labels are None while their window is open.

    `last_year` and `season_shift` (what the closed form's log-odds of churn lacked, see `training.windows.season`) come
    from the same window a year earlier; None where that window had not closed by `as_of`.
    """

    as_of: dt.date
    customer_id: pa.ChunkedArray
    features: pd.DataFrame
    closed_form: Btyd
    churned: Vector | None
    value: Vector | None
    n_future_orders: Vector | None
    last_year: LastYear | None = None
    season_shift: float | None = None

    @property
    def frame(self) -> Frame:
        """All features as the models take them."""
        return self.columns(self.features.columns)

    def columns(self, names: Iterable[str]) -> Frame:
        """The named features as the models take them."""
        return {str(name): self.features[name].to_numpy(np.float64) for name in names}


class _Facts(NamedTuple):
    """The part that no order model changes: buyers, features, and all outcomes, also of windows still open."""

    customer_id: pa.ChunkedArray
    features: pd.DataFrame
    counted: Statistics
    outcomes: tuple[Vector, Vector, Vector]


class Snapshots:
    """Builds snapshots on demand and keeps them: each as-of date is computed once per run.

    The closed form of a snapshot is fitted on what was known on its own date, so that a training row
    never carries a parameter learned from its future. `model` names its order model (see `models.orders`).
    """

    def __init__(
        self,
        engine: Engine,
        tables: Tables,
        span: tuple[dt.date, dt.date],
        spec: FeatureSpec,
        horizons: Horizons,
        model: str = "bgnbd",
    ) -> None:
        self.engine, self.tables, self.model = engine, tables, model
        first_on, self.known_until = span
        self.spec, self.horizons = spec, horizons
        self.first_on = first_on
        # By order model, with all labels, also of windows that close after `known_until`.
        self._built: dict[str, dict[dt.date, Snapshot]] = {}
        self._too_little: set[dt.date] = set()
        self._facts: dict[dt.date, _Facts] = {}

    def at(self, as_of: dt.date) -> Snapshot:
        """The snapshot of a date. All of it but its labels is computed from rows before that date."""
        snapshot = self._labelled(as_of, self.known_until)
        then = self._year_before(as_of)
        return snapshot._replace(last_year=_brought(then), season_shift=_shift(then)) if then else snapshot

    def all_at(self, dates: Sequence[dt.date]) -> list[Snapshot]:
        """The snapshots of those dates on which enough was known: one stray order of years ago makes no window."""
        return [self.at(day) for day in dates if self._can_be_built(day)]

    def until(self, day: dt.date) -> Snapshots:
        """The same history as it was known on `day`: labels of windows that close later are open again.

        What either of the two builds, both keep: features know nothing later than their own date.
        """
        earlier = Snapshots(self.engine, self.tables, (self.first_on, day), self.spec, self.horizons, self.model)
        earlier._built, earlier._too_little, earlier._facts = self._built, self._too_little, self._facts
        return earlier

    def by(self, model: str) -> Snapshots:
        """The same history seen by another order model; what does not depend on the model is shared."""
        if model == self.model:
            return self
        span = self.first_on, self.known_until
        other = Snapshots(self.engine, self.tables, span, self.spec, self.horizons, model)
        other._built, other._too_little, other._facts = self._built, set(self._too_little), self._facts
        return other

    def with_spec(self, spec: FeatureSpec) -> Snapshots:
        """The same history with other features; nothing is shared, for a snapshot holds its features."""
        if spec == self.spec:
            return self
        return Snapshots(self.engine, self.tables, (self.first_on, self.known_until), spec, self.horizons, self.model)

    def forget_all_but(self, dates: Container[dt.date]) -> None:
        """Free the memory of all other snapshots; one that is needed after all is built anew."""
        for name, built in self._built.items():
            self._built[name] = {as_of: kept for as_of, kept in built.items() if as_of in dates}
        for as_of in [as_of for as_of in self._facts if as_of not in dates]:
            del self._facts[as_of]

    def _labelled(self, as_of: dt.date, known_until: dt.date) -> Snapshot:
        """The snapshot of a date with the labels of the windows that had closed by `known_until`."""
        built = self._built.setdefault(self.model, {})
        if as_of not in built:
            built[as_of] = self._build(as_of)
        return _open_again(built[as_of], known_until, self.horizons)

    def _can_be_built(self, as_of: dt.date) -> bool:
        if as_of in self._too_little:
            return False
        try:
            self._labelled(as_of, self.known_until)
        except (errors.NotEnoughData, errors.FitFailed):
            self._too_little.add(as_of)
            return False
        return True

    def _year_before(self, as_of: dt.date) -> Snapshot | None:
        """A year before `as_of`, with the labels that were known on `as_of`: later outcomes would be its own future.

        Needs half a horizon of history behind that date, as every window does.
        """
        day = as_of - dt.timedelta(YEAR_DAYS)
        is_too_early = day - dt.timedelta(max(self.horizons.value_days // 2, 1)) < self.first_on
        return None if is_too_early or not self._can_be_built(day) else self._labelled(day, as_of)

    def _build(self, as_of: dt.date) -> Snapshot:
        customer_id, features, counted, outcomes = self._facts_of(as_of)
        closed_form = fit_both.fit(counted, self.model)
        frame = {str(name): features[name].to_numpy() for name in features.columns}
        seen = features.assign(**btyd.views(closed_form, frame, *self.horizons.both))
        return Snapshot(as_of, customer_id, seen, closed_form, *outcomes)

    def _facts_of(self, as_of: dt.date) -> _Facts:
        if as_of not in self._facts:
            known = build.build(self.tables, as_of, self.spec)
            future = labels.labels(self.tables, as_of, *self.horizons.both)
            joined = self.engine.store("snapshot", known.inner_join(future, "customer_id"))
            table = self.engine.con.to_pyarrow(joined.order_by("customer_id"))
            counted = counts.statistics(self.engine, joined)
            features = table.select(self.spec.names).to_pandas().astype(np.float64)
            churned, value, orders = (table[name].to_numpy().astype(np.float64) for name in OUTCOMES)
            self._facts[as_of] = _Facts(table["customer_id"], features, counted, (churned, value, orders))
        return self._facts[as_of]


def _open_again(built: Snapshot, known_until: dt.date, horizons: Horizons) -> Snapshot:
    """A snapshot without the labels of windows that close after `known_until`."""
    churn_over, value_over = (built.as_of + dt.timedelta(days) <= known_until for days in horizons.both)
    return built._replace(
        churned=built.churned if churn_over else None,
        value=built.value if value_over else None,
        n_future_orders=built.n_future_orders if value_over else None,
    )


def _brought(then: Snapshot) -> LastYear | None:
    expected = float(then.features[btyd.VALUE].sum())
    if then.value is None or expected <= 0 or not then.value.any():
        return None
    return LastYear(float(then.value.sum()) / expected, float(then.value.mean()))


def _shift(then: Snapshot) -> float | None:
    """None where the window is open, or where nobody came back: a pause of the shop a year ago is no season."""
    if then.churned is None or then.churned.all():
        return None
    return season.shift(then.features[btyd.P_CHURN].to_numpy(), then.churned)
