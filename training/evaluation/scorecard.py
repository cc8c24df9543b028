"""The report card of a model: every metric of the protocol with its interval, in one call.

Cards of two models drawn with the same seed resample the same customers, but overlapping intervals still do not
mean "no difference": ask `paired_difference`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tiercast.contract.vectors import Vector
from tiercast.training.evaluation import bootstrap, level, outcomes, probability, profit, ranking
from tiercast.training.evaluation.bootstrap import Contrast, Measure, Metric

CHURN_MEASURES: Mapping[str, Measure] = {
    "auc": ranking.auc,
    "pr_auc": ranking.pr_auc,
    "top_decile_lift": ranking.top_decile_lift,
    "brier": probability.brier,
    "log_loss": probability.log_loss,
    "ece": probability.ece,
    "empc": profit.empc,
}
VALUE_MEASURES: Mapping[str, Measure] = {
    "ngini": ranking.ngini,
    "spearman": ranking.spearman,
    "mae": level.mae,
    "rmse": level.rmse,
    "msle": level.msle,
    "bias": level.bias,
    "decile_mape": level.decile_mape,
    "captured_top10": ranking.captured_top10,
    "captured_top20": ranking.captured_top20,
}
LAST_BIN = 7


def churn_card(p_churn: Vector, churned: Vector, draws: int = 200, seed: int = 0) -> dict[str, Metric]:
    """How well churn was predicted; `churned` is 1 or 0, one entry per customer.

    auc, pr_auc, top_decile_lift (ranking); brier, log_loss, ece (probability); empc (money per customer).
    """
    card = bootstrap.measure(outcomes.pair(p_churn, churned), CHURN_MEASURES, draws, seed)
    return card | {"ece": card["ece"]._replace(low=max(card["ece"].low, 0.0))}


def value_card(forecast: Vector, actual: Vector, draws: int = 200, seed: int = 0) -> dict[str, Metric]:
    """How well value was predicted, money per customer in the value horizon.

    ngini, spearman, captured_top10, captured_top20 (ranking); bias, mae, rmse, msle, decile_mape (level).
    """
    return bootstrap.measure(outcomes.pair(forecast, actual), VALUE_MEASURES, draws, seed)


def paired_difference(
    metric_fn: Measure, a: Vector, b: Vector, actual: Vector, draws: int = 200, seed: int = 0
) -> Metric:
    """metric(a) - metric(b) on the same resampled customers: beyond noise when the interval leaves out 0.

    Pairing removes what makes both models good or bad on the same customers, so this sees differences
    that two separate intervals hide.
    """
    return paired_differences({"": metric_fn}, a, b, actual, draws, seed)[""]


def paired_differences(
    measures: Mapping[str, Measure], a: Vector, b: Vector, actual: Vector, draws: int = 200, seed: int = 0
) -> dict[str, Metric]:
    """`paired_difference` for several measures at the cost of one resampling; 0 where the forecasts are equal."""
    if np.array_equal(a, b):
        return dict.fromkeys(measures, Metric(0.0, 0.0, 0.0))
    contrasts = {name: _difference(measure) for name, measure in measures.items()}
    return bootstrap.paired((outcomes.pair(a, actual), outcomes.pair(b, actual)), contrasts, draws, seed)


def paired_gain(metric_fn: Measure, a: Vector, b: Vector, actual: Vector, draws: int = 200, seed: int = 0) -> Metric:
    """metric(a) / metric(b) - 1 on the same resampled customers: 0.1 is ten percent more; nan where metric(b) is 0."""
    both = outcomes.pair(a, actual), outcomes.pair(b, actual)
    contrast = {"": lambda one, other: outcomes.ratio(metric_fn(one), metric_fn(other)) - 1}
    return bootstrap.paired(both, contrast, draws, seed)[""]


def frequency_table(n_repeat_orders: Vector, actual: Vector, forecasts: Mapping[str, Vector]) -> pd.DataFrame:
    """Mean outcome and mean forecasts by how often customers had bought again, bins 0 to 7+.

    One row per bin that occurs; columns `n_customers`, `actual` and one for each forecast.
    """
    bins = np.minimum(n_repeat_orders, LAST_BIN).astype(np.int64)
    means = pd.DataFrame({"actual": actual, **forecasts}).groupby(bins).mean()
    means.insert(0, "n_customers", np.bincount(bins)[means.index])
    means.index = pd.Index(
        [f"{LAST_BIN}+" if at == LAST_BIN else str(at) for at in means.index], name="n_repeat_orders"
    )
    return means


def _difference(measure: Measure) -> Contrast:
    return lambda one, other: measure(one) - measure(other)
