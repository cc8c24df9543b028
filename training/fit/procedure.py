"""The whole procedure, from what is known until a day to a bundle for that day.

It is run twice: on the day the holdout begins, to be judged, and on as_of, to be used. What is
judged is thus the procedure itself, and nothing in it has seen the holdout.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np

from tiercast.contract.vectors import Vector
from tiercast.models import btyd, churn, factors, value
from tiercast.models.bundle import About, Bundle
from tiercast.tiers import inactivity
from tiercast.tiers.grid import Cuts
from tiercast.training.fit import (
    at_the_cuts,
    churn_model,
    interval_model,
    order_choice,
    posterior,
    references,
    value_model,
)
from tiercast.training.fit.churn_model import ChurnFit
from tiercast.training.fit.interval_model import Outcomes
from tiercast.training.fit.order_choice import OrderChoice
from tiercast.training.fit.value_model import ValueFit
from tiercast.training.settings import Settings
from tiercast.training.windows import schedule
from tiercast.training.windows.snapshots import Snapshot, Snapshots


class Rules(NamedTuple):
    """The plain rule that forecasts each target instead of its stack; empty for the stack."""

    churn: str = ""
    value: str = ""


NO_RULES = Rules()


class Procedure(NamedTuple):
    """What came out: the bundle, the two fits, and the newest closed windows, which plain rules learn from.

    A newest window is None where none had closed in which somebody bought.
    """

    bundle: Bundle
    churn: ChurnFit
    value: ValueFit
    now: Snapshot
    newest_churn: Snapshot | None
    newest_value: Snapshot | None
    orders: OrderChoice


def run(
    snapshots: Snapshots, known_until: dt.date, settings: Settings, about: About, rules: Rules = NO_RULES
) -> Procedure:
    """Fit everything on windows whose labels were closed by `known_until`. Raises NotEnoughData.

    A window in which nobody bought is a pause of the shop, and teaches nothing about its customers: it is left out.
    """
    h, most = settings.horizons, settings.rolling.most_windows
    chosen = order_choice.settle(snapshots, known_until, settings)
    snapshots = snapshots.by(chosen.model)
    now = snapshots.at(known_until)
    names = _names(snapshots)
    labels = snapshots.spec.labels
    churn_windows = [w for w in _windows(snapshots, known_until, h.churn_days, most) if churn_model.has_returned(w)]
    value_windows = [w for w in _windows(snapshots, known_until, h.value_days, most) if value_model.has_money(w)]
    churn_fit = churn_model.fit(churn_windows, now, names, labels, settings, rules.churn)
    value_fit = value_model.fit(value_windows, now, names, labels, settings, rules.value)
    newest_churn, newest_value = (windows[-1] if windows else None for windows in (churn_windows, value_windows))
    cuts = _cuts(now, value_fit, newest_churn, settings)
    seen = _unseen(now, churn_windows, churn_fit, value_fit, names, labels, settings)
    bundle = Bundle(
        about=about._replace(
            as_of=known_until,
            churn_days=h.churn_days,
            value_days=h.value_days,
            churn_rule=churn_fit.rule,
            value_rule=rules.value if value_fit.unseen else "",
        ),
        spec=snapshots.spec,
        btyd=now.closed_form,
        churn=churn_fit.model,
        line={},
        value=value_fit.model,
        intervals=interval_model.fit(seen, cuts),
        cuts=cuts,
        typical=references.typical(now),
        reference={},
        scorecard={},
    )
    bundle = at_the_cuts.measure(bundle, now)
    bundle = bundle._replace(reference=references.spreads(bundle, now))
    return Procedure(bundle, churn_fit, value_fit, now, newest_churn, newest_value, chosen)


def _windows(snapshots: Snapshots, known_until: dt.date, horizon: int, most: int) -> list[Snapshot]:
    return snapshots.all_at(schedule.plan(snapshots.first_on, known_until, horizon, most))


def _names(snapshots: Snapshots) -> tuple[str, ...]:
    return (*snapshots.spec.names, *btyd.NAMES)


def _cuts(now: Snapshot, value_fit: ValueFit, earlier: Snapshot | None, settings: Settings) -> Cuts:
    """The grid's cuts as of today; the inactivity limit is learned from the newest closed churn window."""
    grid = settings.grid
    limit = grid.inactive_days or (earlier and _inactivity_limit(earlier, grid.inactive_return_share))
    money = value.value(value_fit.model, now.frame)
    is_active = now.features["silence_days"].to_numpy() < (limit or np.inf)
    pool = money[is_active] if is_active.any() else money
    cut = grid.value_cut or float(np.quantile(pool, 1 - grid.value_top_share))
    return Cuts(cut, grid.p_churn_cut, limit, grid.value_band, grid.p_churn_band)


def _inactivity_limit(earlier: Snapshot, share: float) -> float | None:
    silence, returned = earlier.features["silence_days"].to_numpy(), 1 - churn_model.churned(earlier)
    return inactivity.limit(silence, returned, share=share)


def _unseen(
    now: Snapshot,
    churn_windows: list[Snapshot],
    churn_fit: ChurnFit,
    value_fit: ValueFit,
    names: tuple[str, ...],
    labels: tuple[str, ...],
    settings: Settings,
) -> Outcomes:
    """Forecasts for windows the models had not seen, beside what happened: what intervals learn from."""
    seen = []
    closed = [unseen for unseen in value_fit.unseen if unseen.snapshot.churned is not None]
    for unseen in closed:  # where the churn horizon is the longer one, its label may still be open
        model = churn_model.fit_until(churn_windows, unseen.snapshot, churn_fit, names, labels, settings)
        p = churn.p_churn(model, unseen.snapshot.frame)
        labels_then = value_model.realised(unseen.snapshot), churn_model.churned(unseen.snapshot)
        seen.append(_outcomes(unseen.snapshot, p, unseen.value, labels_then, settings))
    return interval_model.joined(seen) if seen else _drawn(now, churn_fit, value_fit, settings)


def _drawn(now: Snapshot, churn_fit: ChurnFit, value_fit: ValueFit, settings: Settings) -> Outcomes:
    """No value window has closed yet: the closed form's own possible futures stand in."""
    frame, h = now.frame, settings.horizons
    money, gone = posterior.draw(now.closed_form, frame, h.churn_days, h.value_days, settings.rolling.seed)
    p_churn = churn.p_churn(churn_fit.model, frame)
    return _outcomes(now, p_churn, value.value(value_fit.model, frame), (money, gone), settings)


def _outcomes(
    snapshot: Snapshot, p_churn: Vector, money: Vector, happened: tuple[Vector, Vector], settings: Settings
) -> Outcomes:
    made_of = factors.factors(snapshot.closed_form, snapshot.frame, p_churn, money, settings.horizons.value_days)
    return Outcomes(money, p_churn, made_of.p_order, *happened)
