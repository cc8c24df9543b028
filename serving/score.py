"""Features in, scores out: the contract's columns for every customer of a feature table.

Batch, online, MLflow and Spark all end here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from contract import scores
from models import btyd, churn, predict
from models import frame as frames
from models.bundle import Bundle
from models.predict import Predictions
from models.vectors import Vector
from tiers import actions, grid, overrides, reasons
from tiers.overrides import Override

ALIKE = 1 << 16  # customers whose contributions are held in memory at once


def score(
    bundle: Bundle,
    features: pa.Table,
    *,
    with_reasons: bool = True,
    by_hand: Sequence[Override] = (),
    previous: NDArray[np.str_] | None = None,
) -> pa.Table:
    """One row per row of `features` (`customer_id` and `bundle.spec.names`), in its order and the contract's columns.

    Without reasons the lists are empty and the action is the tier's default: TreeSHAP is the slowest part.
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
    why = _reasons(bundle, predictions) if with_reasons else _no_reasons(features.num_rows)
    columns = _numbers(predictions) | {
        "customer_id": features["customer_id"],
        "as_of": pa.array(np.full(features.num_rows, np.datetime64(bundle.about.as_of)), pa.date32()),
        "reasons": why,
        "action": pa.array(actions.choose(predictions.tiers, reasons.first(why)), pa.string()),
        "model": pa.array(np.full(features.num_rows, bundle.about.model), pa.string()),
        "raw_tier": _text(raw),
    }
    wanted = schema(bundle)
    return pa.Table.from_arrays([columns[name] for name in wanted.names], schema=wanted)


def schema(bundle: Bundle, extra: Mapping[str, Any] | None = None) -> pa.Schema:
    """The contract's schema with this bundle's horizons, currency and label definition."""
    about = bundle.about
    notes = {"as_of": about.as_of.isoformat(), "model": about.model, "data": about.data, **(extra or {})}
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
        "tier": _text(p.tiers),
        "status": _text(grid.status(p.tiers)),
        "is_borderline": pa.array(sure.is_borderline, pa.bool_(), mask=np.isnan(p.value)),
        "disagreement": pa.array(p.disagreement, pa.bool_(), mask=np.isnan(p.value)),
    }


def _text(codes: NDArray[np.str_]) -> pa.Array:
    return pa.array(codes.astype(object), pa.string())


def _reasons(bundle: Bundle, p: Predictions) -> pa.Array:
    n = len(p.p_churn)
    parts = [_reasons_of(bundle, p, slice(start, start + ALIKE)) for start in range(0, n, ALIKE)]
    return pa.concat_arrays(parts) if parts else _no_reasons(0)


def _reasons_of(bundle: Bundle, p: Predictions, rows: slice) -> pa.Array:
    frame = {name: column[rows] for name, column in p.frame.items()}
    parts, _ = churn.contributions(bundle.churn, frame, bundle.centre)
    return reasons.choose(parts, frame, p.p_churn[rows], cut=bundle.cuts.p_churn, typical=bundle.typical)


def _no_reasons(n: int) -> pa.Array:
    return pa.array([[]] * n, pa.list_(pa.string()))
