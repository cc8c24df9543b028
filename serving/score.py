"""Features in, scores out: the contract's columns for every customer of a feature table.

Batch, online, MLflow and Spark all score by this module.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tiercast.contract import scores
from tiercast.contract.scores import Reasons
from tiercast.contract.vectors import Vector
from tiercast.models import btyd, churn, factors, predict
from tiercast.models import frame as frames
from tiercast.models.bundle import About, Bundle
from tiercast.models.factors import Factors
from tiercast.models.frame import Frame
from tiercast.models.predict import Predictions
from tiercast.serving import score_columns
from tiercast.serving.score_columns import Constant, Flags, Labels, Numbers, ReasonLists, Values
from tiercast.tiers import actions, families, grid, overrides, value_reasons
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

    `reasons` are given to all customers, to the "risky" ones (p_churn above the grid's cut) or to none. A customer
    without reasons has an empty list and the default action of the tier. `previous` tiers, one per row ("" for none),
    hold customers near a cut where they were (`tiers.grid.hold`). Tiers set `by_hand` replace computed ones while they
    are in force.
    """
    predictions = _predict(bundle, frames.from_arrow(features, bundle.spec.names), reasons)
    raw = predictions.tiers
    if previous is not None:
        held = grid.hold(raw, previous, predictions.p_churn, predictions.value, bundle.cuts)
        predictions = predict.graded(bundle, predictions, held)
    codes = _codes(bundle, predictions, reasons)
    if by_hand:
        given = overrides.apply(predictions.tiers, features["customer_id"], by_hand, bundle.about.as_of).tiers
        predictions = predict.graded(bundle, predictions, given)
    columns = _columns(bundle, predictions, raw, codes)
    contract = schema(bundle)
    arrays = score_columns.to_arrow(columns, features.num_rows, contract) | {"customer_id": features["customer_id"]}
    return pa.Table.from_arrays([arrays[name] for name in contract.names], schema=contract)


def score_lists(bundle: Bundle, frame: Frame) -> dict[str, list[Any]]:
    """The columns of `score` without ids and in its order, as lists of Python values, with reasons for all."""
    predictions = _predict(bundle, frame, "all")
    columns = _columns(bundle, predictions, predictions.tiers, _codes(bundle, predictions, "all"))
    lists = score_columns.to_lists(columns, len(predictions.value))
    return {name: lists[name] for name in schema(bundle).names if name != "customer_id"}


def schema(bundle: Bundle) -> pa.Schema:
    """The contract's schema with this bundle's horizons, currency and label definition."""
    return _schema(bundle.about)


@functools.lru_cache(maxsize=64)
def _schema(about: About) -> pa.Schema:
    notes: dict[str, object] = {"as_of": about.as_of.isoformat(), "model": about.model, "data": about.data}
    limits = about.limits
    return scores.schema(
        about.currency, about.churn_days, about.value_days, extra=notes | ({"limits": limits} if limits else {})
    )


def _predict(bundle: Bundle, frame: Frame, reasons: Reasons) -> Predictions:
    """The predictions of a frame, with the contributions that `_codes` needs for those reasons."""
    return predict.predict(bundle, frame, families.family_of if reasons == "all" else None)


def _columns(bundle: Bundle, p: Predictions, raw: NDArray[np.str_], codes: Codes) -> dict[str, Values]:
    """Every column of the contract but `customer_id`; `raw` are the tiers before holding and overrides."""
    tier_numbers, is_null, sure = grid.numbers(p.tiers), np.isnan(p.value), p.certainty
    return {
        "as_of": Constant(bundle.about.as_of),
        "tier": Labels(grid.TIERS, tier_numbers),
        "status": Labels(STATUSES, tier_numbers),
        "p_churn": Numbers(p.p_churn),
        "loyalty": Numbers(1 - p.p_churn),
        "p_alive": Numbers(p.frame[btyd.P_ALIVE]),
        "expected_orders": Numbers(p.frame[btyd.ORDERS]),
        "expected_order_value": Numbers(p.frame[btyd.ORDER_VALUE]),
        "clv": Numbers(p.clv),
        "value": Numbers(p.value),
        "value_low": Numbers(sure.value_low),
        "value_high": Numbers(sure.value_high),
        "p_high_value": Numbers(sure.p_high_value),
        "tier_confidence": Numbers(sure.tier_confidence),
        "is_borderline": Flags(sure.is_borderline, is_null),
        "disagreement": Flags(p.disagreement, is_null),
        "reasons": ReasonLists(codes),
        "action": Labels(_action_table(bundle), actions.cells(tier_numbers, codes)),
        "model": Constant(bundle.about.model),
        "raw_tier": Labels(grid.TIERS, grid.numbers(raw)),
        **{name: Numbers(values) for name, values in p.factors._asdict().items()},
    }


def _action_table(bundle: Bundle) -> tuple[str, ...]:
    return actions.WITHHELD if bundle.weak_targets else actions.TABLE


def _codes(bundle: Bundle, p: Predictions, reasons: Reasons) -> Codes:
    """The reasons as positions in `families.CODES`: one row of three per customer, negative where a place is empty."""
    if reasons == "all":
        return _pick(bundle, p.frame, p.tiers, p.factors, p.contributions or {})
    codes = np.full((len(p.p_churn), chosen.MOST), NONE, np.int16)
    if reasons == "risky":
        rows = np.flatnonzero(p.p_churn > bundle.cuts.p_churn)
        frame = {name: column[rows] for name, column in p.frame.items()}
        made_of = Factors(*(column[rows] for column in p.factors))
        contributions = churn.explain(bundle.churn, frame, bundle.line, families.family_of)[1]
        codes[rows] = _pick(bundle, frame, p.tiers[rows], made_of, contributions)
    return codes


def _pick(
    bundle: Bundle, frame: Frame, letters: NDArray[np.str_], made_of: Factors, contributions: Mapping[str, Vector]
) -> Codes:
    tiers, cuts = grid.numbers(letters), bundle.cuts
    parts = factors.from_cut(made_of, cuts.value, bundle.typical[factors.VALUE_PER_ORDER])
    of_value = value_reasons.choose(tiers, *parts, frame["n_orders"])
    typical = {**bundle.typical, "churn_days": bundle.about.churn_days, "inactive_days": cuts.inactive_days or math.inf}
    return chosen.choose(contributions, frame, tiers, of_value, typical=typical)
