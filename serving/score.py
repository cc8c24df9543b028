"""Features in, scores out: the contract's columns for every customer of a feature table.

Batch, online, MLflow and Spark all end here.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tiercast.contract import scores
from tiercast.contract.scores import Reasons
from tiercast.contract.vectors import Mask, Vector
from tiercast.models import btyd, churn, predict
from tiercast.models import frame as frames
from tiercast.models.bundle import About, Bundle
from tiercast.models.frame import Frame
from tiercast.models.predict import Predictions
from tiercast.tiers import actions, families, grid, overrides
from tiercast.tiers import reasons as chosen
from tiercast.tiers.overrides import Override
from tiercast.tiers.rules import NONE, Codes

STATUSES: tuple[str, ...] = tuple(grid.status(np.array(grid.TIERS)).tolist())
"""The status of every tier, A to F."""


def score(
    bundle: Bundle,
    features: pa.Table,
    *,
    reasons: Reasons = "all",
    by_hand: Sequence[Override] = (),
    previous: NDArray[np.str_] | None = None,
) -> pa.Table:
    """One row per row of `features` (`customer_id` and `bundle.spec.names`), in its order and the contract's columns.

    `reasons` are given to all, to the "risky" (p_churn above the grid's cut) or to none; where there are none the list
    is empty and the action is the tier's default.
    `previous` tiers, one per row ("" for none), hold customers near a cut where they were (`tiers.grid.hold`). Tiers
    set `by_hand` stand in for the computed ones while they are in force.
    """
    predictions = predicted(bundle, frames.from_arrow(features, bundle.spec.names), reasons)
    raw = predictions.tiers
    if previous is not None:
        held = grid.hold(raw, previous, predictions.p_churn, predictions.value, bundle.cuts)
        predictions = predict.graded(bundle, predictions, held)
    if by_hand:
        given = overrides.apply(predictions.tiers, features["customer_id"], by_hand, bundle.about.as_of).tiers
        predictions = predict.graded(bundle, predictions, given)
    why = codes(bundle, predictions, reasons)
    at = grid.numbers(predictions.tiers)
    columns = {name: pa.array(column, pa.float64(), from_pandas=True) for name, column in numbers(predictions).items()}
    columns |= {name: pa.array(flag, pa.bool_(), mask=np.isnan(predictions.value)) for name, flag in flags(predictions)}
    columns |= {
        "customer_id": features["customer_id"],
        "as_of": pa.repeat(pa.scalar(bundle.about.as_of, pa.date32()), features.num_rows),
        "tier": _taken(grid.TIERS, at),
        "status": _taken(STATUSES, at),
        "reasons": chosen.as_lists(why),
        "action": _taken(actions.table(), actions.cells(at, why[:, 0])),
        "model": pa.repeat(bundle.about.model, features.num_rows),
        "raw_tier": _taken(grid.TIERS, grid.numbers(raw)),
    }
    wanted = schema(bundle)
    return pa.Table.from_arrays([columns[name] for name in wanted.names], schema=wanted)


def schema(bundle: Bundle) -> pa.Schema:
    """The contract's schema with this bundle's horizons, currency and label definition."""
    return _schema(bundle.about)


@functools.lru_cache(maxsize=64)
def _schema(about: About) -> pa.Schema:
    notes = {"as_of": about.as_of.isoformat(), "model": about.model, "data": about.data}
    return scores.schema(about.currency, about.churn_days, about.value_days, extra=notes)


def numbers(p: Predictions) -> dict[str, Vector]:
    """The columns of numbers; NaN stands for null."""
    sure, closed = p.certainty, p.frame
    return {
        "p_churn": p.p_churn,
        "loyalty": 1 - p.p_churn,
        "p_alive": closed[btyd.P_ALIVE],
        "expected_orders": closed[btyd.ORDERS],
        "expected_order_value": closed[btyd.ORDER_VALUE],
        "clv": p.clv,
        "value": p.value,
        "value_low": sure.value_low,
        "value_high": sure.value_high,
        "p_high_value": sure.p_high_value,
        "tier_confidence": sure.tier_confidence,
        **p.factors._asdict(),
    }


def flags(p: Predictions) -> tuple[tuple[str, Mask], ...]:
    """The columns of yes and no; null where there is no value."""
    return ("is_borderline", p.certainty.is_borderline), ("disagreement", p.disagreement)


def predicted(bundle: Bundle, frame: Frame, which: Reasons) -> Predictions:
    """The numbers of a frame, with what `codes` needs for those reasons."""
    return predict.predict(bundle, frame, families.family_of if which == "all" else None)


def codes(bundle: Bundle, p: Predictions, which: Reasons) -> Codes:
    """The reasons as numbers of `families.CODES`: one row of three per customer, -1 where a place stays empty."""
    if which == "all":
        return _codes_of(bundle, p.frame, p.p_churn, p.contributions)
    found = np.full((len(p.p_churn), chosen.MOST), NONE, np.int16)
    if which == "risky":
        rows = np.flatnonzero(p.p_churn > bundle.cuts.p_churn)
        frame = {name: column[rows] for name, column in p.frame.items()}
        found[rows] = _codes_of(bundle, frame, p.p_churn[rows])
    return found


def _codes_of(bundle: Bundle, frame: Frame, p_churn: Vector, parts: Mapping[str, Vector] | None = None) -> Codes:
    if parts is None:
        parts = churn.contributions(bundle.churn, frame, bundle.centre, families.family_of)
    return chosen.choose(parts, frame, p_churn, cut=bundle.cuts.p_churn, typical=bundle.typical)


def _taken(texts: Sequence[str], places: NDArray[np.intp]) -> pa.StringArray:
    return pa.array(texts, pa.string()).take(pa.array(places))
