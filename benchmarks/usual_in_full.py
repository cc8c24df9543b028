"""The usual script with what `tiercast score` writes: the same features, value, tier, interval, chances, and reasons.

    python -m benchmarks.usual_in_full fit SAMPLE.parquet FOLDER
    python -m benchmarks.usual_in_full score BASE.parquet FOLDER OUT.parquet [--reasons]

As a competent user would write it with pandas, lifetimes and LightGBM, and always the cheaper usual way: columns
instead of loops, no summary by lifetimes where the days are known already, intervals from quantiles per decile of the
forecast, reasons from LightGBM's own contributions, chunk by chunk.
"""

from __future__ import annotations

import json
import pathlib
import sys
import warnings
from typing import Any

import lifetimes
import lightgbm as lgb
import numpy as np
import pandas as pd

from benchmarks.usual_features import features
from benchmarks.usual_script import DAYS, END, MODEL, PARAMETERS, TREES

HIGH_SHARE, P_CHURN, DECILES = 0.2, 0.5, 10  # a fifth is of high value; more than half a chance of churn is slipping
REASONS, AT_ONCE = 3, 100_000
TIERS = {"A": "keep", "B": "save", "C": "grow", "D": "serve cheaply", "F": "invite"}
Parameters = dict[str, Any]


def with_closed_form(table: pd.DataFrame, parameters: Parameters) -> pd.DataFrame:
    orders, spend = lifetimes.BetaGeoFitter(), lifetimes.GammaGammaFitter()
    orders.params_, spend.params_ = pd.Series(parameters["orders"]), pd.Series(parameters["spend"])
    x, t_x, age = (table[name].fillna(0.0).to_numpy() for name in ("n_repeat_orders", "recency_days", "age_days"))
    expected = np.asarray(orders.conditional_expected_number_of_purchases_up_to_time(DAYS, x, t_x, age))
    worth = np.asarray(spend.conditional_expected_average_profit(x, table["repeat_order_value"].fillna(0.0).to_numpy()))
    alive = np.asarray(orders.conditional_probability_alive(x, t_x, age))
    return table.assign(p_alive=alive, expected_orders=expected, expected_order_value=worth, clv=expected * worth)


def fit(sample: pathlib.Path, folder: pathlib.Path) -> None:
    """Fit on a sample whose last 90 days are the label."""
    orders = pd.read_parquet(sample)
    then = END - pd.Timedelta(days=DAYS)
    table = features(orders, then)
    seen = table[table["n_orders"] > 0]
    repeat = seen[(seen["n_repeat_orders"] > 0) & (seen["repeat_order_value"] > 0)]
    bg = lifetimes.BetaGeoFitter().fit(seen["n_repeat_orders"], seen["recency_days"], seen["age_days"])
    gg = lifetimes.GammaGammaFitter().fit(repeat["n_repeat_orders"], repeat["repeat_order_value"])
    parameters: Parameters = {"orders": dict(bg.params_), "spend": dict(gg.params_)}
    full = with_closed_form(table, parameters)
    later = orders[(orders["ordered_at"] >= then) & (orders["amount"] >= 0)].groupby("customer_id")["amount"].sum()
    realised = later.reindex(full.index)
    data = lgb.Dataset(full, realised.isna().to_numpy(np.float64))
    model = lgb.train({"objective": "binary", "num_leaves": 8, "verbose": -1}, data, TREES)
    parameters |= {"columns": list(full.columns), **spreads(full["clv"].to_numpy(), realised.fillna(0.0).to_numpy())}
    folder.mkdir(exist_ok=True)
    model.save_model(folder / MODEL)
    (folder / PARAMETERS).write_text(json.dumps(parameters), encoding="utf-8")


def spreads(clv: np.ndarray, realised: np.ndarray) -> Parameters:
    """The level of the forecast, the value cut, and per decile of the forecast: two quantiles and the share above."""
    level = realised.sum() / clv.sum()
    value = level * clv
    cut, edges = np.quantile(value, 1 - HIGH_SHARE), np.quantile(value, np.linspace(0, 1, DECILES + 1)[1:-1])
    groups = pd.DataFrame({"missed": realised - value, "is_high": realised >= cut}).groupby(
        np.searchsorted(edges, value)
    )
    low, high = (groups["missed"].quantile(q).tolist() for q in (0.1, 0.9))
    p_high = groups["is_high"].mean().tolist()
    return {"level": level, "cut": cut, "edges": edges.tolist(), "low": low, "high": high, "p_high": p_high}


def score(base: pathlib.Path, folder: pathlib.Path, out: pathlib.Path, *, has_reasons: bool) -> int:
    """Score everybody and return how many they are."""
    parameters = json.loads((folder / PARAMETERS).read_text(encoding="utf-8"))
    table = with_closed_form(features(pd.read_parquet(base), END), parameters)[parameters["columns"]]
    model = lgb.Booster(model_file=folder / MODEL)
    scores = graded(table, np.asarray(model.predict(table)), parameters)
    if has_reasons:
        scores = scores.assign(**reasons(model, table))
    scores.to_parquet(out)
    return len(scores)


def graded(table: pd.DataFrame, p_churn: np.ndarray, parameters: Parameters) -> pd.DataFrame:
    """The columns of the score, but for the reasons."""
    value, cut = parameters["level"] * table["clv"].to_numpy(), parameters["cut"]
    decile = np.searchsorted(parameters["edges"], value)
    low, high = (np.maximum(value + np.take(parameters[side], decile), 0.0) for side in ("low", "high"))
    p_high = np.take(parameters["p_high"], decile)
    is_high, is_loyal = value >= cut, p_churn <= P_CHURN
    cells = [table["n_orders"].isna(), is_high & is_loyal, is_high, is_loyal]
    tier = np.select(cells, ["F", "A", "B", "C"], "D")
    reached = np.where(is_high, p_high, 1 - p_high)
    return table[["p_alive", "expected_orders", "expected_order_value", "clv"]].assign(
        as_of=END,
        tier=pd.Categorical(tier, list(TIERS)),
        action=pd.Categorical(tier, list(TIERS)).rename_categories(TIERS),
        p_churn=p_churn,
        loyalty=1 - p_churn,
        value=value,
        value_low=low,
        value_high=high,
        p_high_value=p_high,
        tier_confidence=np.where(is_loyal, (1 - p_churn) * reached, p_churn),
        is_borderline=(low < cut) & (high >= cut),
    )


def reasons(model: lgb.Booster, table: pd.DataFrame) -> dict[str, Any]:
    """The names of the three features that push each customer's risk the most."""
    found = []
    for start in range(0, len(table), AT_ONCE):
        pushes = -np.abs(np.asarray(model.predict(table[start : start + AT_ONCE], pred_contrib=True))[:, :-1])
        top = np.argpartition(pushes, REASONS, axis=1)[:, :REASONS]
        order = np.argsort(np.take_along_axis(pushes, top, axis=1), axis=1)
        found.append(np.take_along_axis(top, order, axis=1))
    best, names = np.concatenate(found), np.array(table.columns, dtype=object)
    return {f"reason_{k + 1}": pd.Categorical(names[best[:, k]], names) for k in range(REASONS)}


def main() -> None:
    warnings.simplefilter("ignore")
    what, *given = [word for word in sys.argv[1:] if word != "--reasons"]
    paths = [pathlib.Path(path) for path in given]
    if what == "fit":
        fit(*paths)
    else:
        print(json.dumps({"customers": score(*paths, has_reasons="--reasons" in sys.argv)}))


if __name__ == "__main__":
    main()
