"""The script that usually does this job: pandas, lifetimes and LightGBM, all customers at once in memory.

    python -m benchmarks.usual_script fit SAMPLE.parquet FOLDER
    python -m benchmarks.usual_script score BASE.parquet FOLDER OUT.parquet

It is the lean one of the other side of `score_memory`: the same rows, a closed form and 100 trees, a dozen window
features. It gives neither intervals, nor reasons, nor tiers; `usual_in_full` does.
"""

from __future__ import annotations

import json
import pathlib
import sys
import warnings

import lifetimes
import lightgbm as lgb
import numpy as np
import pandas as pd
from lifetimes.utils import summary_data_from_transaction_data

END = pd.Timestamp("2024-01-01")
DAYS, TREES, WINDOWS = 90, 100, (30, 90, 180, 365)
PARAMETERS, MODEL = "lifetimes.json", "lightgbm.txt"


def features(orders: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    """One row per customer with frequency, recency, T and monetary_value, then windows and totals of money."""
    known = orders[orders["ordered_at"] < end]
    table: pd.DataFrame = summary_data_from_transaction_data(
        known, "customer_id", "ordered_at", "amount", observation_period_end=end
    )
    for days in WINDOWS:
        recent = known[known["ordered_at"] >= end - pd.Timedelta(days=days)].groupby("customer_id")["amount"]
        table = table.join(recent.agg(["count", "sum"]).add_suffix(f"_{days}"))
    money = known.groupby("customer_id")["amount"].agg(["count", "sum", "mean", "std", "max"])
    return table.join(money).fillna(0.0)


def with_closed_form(table: pd.DataFrame, parameters: dict[str, dict[str, float]]) -> pd.DataFrame:
    orders, spend = lifetimes.BetaGeoFitter(), lifetimes.GammaGammaFitter()
    orders.params_, spend.params_ = pd.Series(parameters["orders"]), pd.Series(parameters["spend"])
    x, t_x, age = table["frequency"], table["recency"], table["T"]
    expected = orders.conditional_expected_number_of_purchases_up_to_time(DAYS, x, t_x, age)
    worth = spend.conditional_expected_average_profit(x, table["monetary_value"])
    alive = orders.conditional_probability_alive(x, t_x, age)
    return table.assign(p_alive=alive, expected=expected, clv=expected * worth)


def fit(sample: pathlib.Path, folder: pathlib.Path) -> None:
    """Fit on a sample whose last 90 days are the label."""
    orders = pd.read_parquet(sample)
    then = END - pd.Timedelta(days=DAYS)
    table = features(orders, then)
    repeat = table[table["frequency"] > 0]
    bg = lifetimes.BetaGeoFitter().fit(table["frequency"], table["recency"], table["T"])
    gg = lifetimes.GammaGammaFitter().fit(repeat["frequency"], repeat["monetary_value"])
    parameters = {"orders": dict(bg.params_), "spend": dict(gg.params_)}
    stayed = table.index.isin(orders.loc[orders["ordered_at"] >= then, "customer_id"])
    data = lgb.Dataset(with_closed_form(table, parameters), (~stayed).astype(np.float64))
    model = lgb.train({"objective": "binary", "num_leaves": 8, "verbose": -1}, data, TREES)
    folder.mkdir(exist_ok=True)
    model.save_model(folder / MODEL)
    (folder / PARAMETERS).write_text(json.dumps(parameters), encoding="utf-8")


def score(base: pathlib.Path, folder: pathlib.Path, out: pathlib.Path) -> int:
    """Score everybody and return how many they are."""
    parameters = json.loads((folder / PARAMETERS).read_text(encoding="utf-8"))
    table = with_closed_form(features(pd.read_parquet(base), END), parameters)
    table["p_churn"] = np.asarray(lgb.Booster(model_file=folder / MODEL).predict(table))
    table[["p_alive", "expected", "clv", "p_churn"]].to_parquet(out)
    return len(table)


def main() -> None:
    warnings.simplefilter("ignore")
    what, *paths = sys.argv[1:]
    given = [pathlib.Path(path) for path in paths]
    if what == "fit":
        fit(*given)
    else:
        print(json.dumps({"customers": score(*given)}))


if __name__ == "__main__":
    main()
