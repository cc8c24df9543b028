"""Features in, scores out: the contract's columns for every customer of a feature table.

Batch, online, MLflow and Spark all end here.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from contract import scores
from models import btyd, churn, predict
from models import frame as frames
from models.bundle import About, Bundle
from models.frame import Frame
from models.predict import Predictions
from models.vectors import Vector
from tiers import actions, families, grid, overrides
from tiers import reasons as chosen
from tiers.overrides import Override

Reasons = Literal["all", "risky", "none"]
_LETTERS = pa.array(grid.TIERS)
_STATUSES = pa.array(grid.status(np.array(grid.TIERS)).tolist())


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
    predictions = predict.predict(bundle, frames.from_arrow(features, bundle.spec.names))
    raw = predictions.tiers
    if previous is not None:
        held = grid.hold(raw, previous, predictions.p_churn, predictions.value, bundle.cuts)
        predictions = predict.graded(bundle, predictions, held)
    if by_hand:
        given = overrides.apply(predictions.tiers, features["customer_id"], by_hand, bundle.about.as_of).tiers
        predictions = predict.graded(bundle, predictions, given)
    why = _reasons(bundle, predictions, reasons)
    columns = _numbers(predictions) | {
        "customer_id": features["customer_id"],
        "as_of": pa.repeat(pa.scalar(bundle.about.as_of, pa.date32()), features.num_rows),
        "reasons": why,
        "action": actions.choose_arrow(predictions.tiers, chosen.leading(why)),
        "model": pa.repeat(bundle.about.model, features.num_rows),
        "raw_tier": _by_letter(_LETTERS, raw),
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


def _numbers(p: Predictions) -> dict[str, pa.Array]:
    sure, closed = p.certainty, p.frame
    numbers: dict[str, Vector] = {
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
    arrays = {name: pa.array(column, pa.float64(), from_pandas=True) for name, column in numbers.items()}
    return arrays | {
        "tier": _by_letter(_LETTERS, p.tiers),
        "status": _by_letter(_STATUSES, p.tiers),
        "is_borderline": pa.array(sure.is_borderline, pa.bool_(), mask=np.isnan(p.value)),
        "disagreement": pa.array(p.disagreement, pa.bool_(), mask=np.isnan(p.value)),
    }


def _by_letter(texts: pa.StringArray, tiers: NDArray[np.str_]) -> pa.StringArray:
    """The text of each customer's tier, by the place of its letter from A on."""
    return texts.take(pa.array(np.ascontiguousarray(tiers, "<U1").view(np.uint32) - ord("A")))


def _reasons(bundle: Bundle, p: Predictions, which: Reasons) -> pa.Array:
    if which == "none":
        return chosen.nobody(len(p.p_churn))
    if which == "all":
        return _reasons_of(bundle, p.frame, p.p_churn)
    rows = np.flatnonzero(p.p_churn > bundle.cuts.p_churn)
    found = _reasons_of(bundle, {name: column[rows] for name, column in p.frame.items()}, p.p_churn[rows])
    return chosen.spread(found, rows, len(p.p_churn))


def _reasons_of(bundle: Bundle, frame: Frame, p_churn: Vector) -> pa.ListArray:
    pushes = churn.pushes(bundle.churn, frame, bundle.centre, families.family_of)
    return chosen.choose_by_family(pushes, frame, p_churn, cut=bundle.cuts.p_churn, typical=bundle.typical)
