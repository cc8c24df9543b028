"""CDNOW as the papers used it: the 1/10 sample, 39 weeks to learn from, 39 weeks to judge by.

Read by path from the installed lifetimes package, whose own loader needs a module that setuptools dropped.
The papers count a customer's age up to the last day of calibration, 1997-09-30.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from tiercast.contract.vectors import Vector

CALIBRATION_END, HOLDOUT_END = pd.Timestamp("1997-09-30"), pd.Timestamp("1998-06-30")


class Cdnow(NamedTuple):
    """One entry per customer, in the order of the file; times in weeks, m is NaN without repeat orders."""

    x: Vector
    t_x: Vector
    T: Vector
    m: Vector
    holdout: Vector


@functools.cache
def sample() -> Cdnow:
    """The 2,357 customers of the papers."""
    by_day = orders("CDNOW_sample.txt", ["master_id", "customer_id", "date", "n_cds", "amount"])
    known, later = by_day[by_day.date <= CALIBRATION_END], by_day[by_day.date > CALIBRATION_END]
    customers = known.groupby("customer_id").agg(first=("date", "min"), last=("date", "max"), n=("date", "size"))
    repeat = known[known.date > known.customer_id.map(customers["first"])]
    return Cdnow(
        x=(customers.n - 1).to_numpy(np.float64),
        t_x=_weeks(customers["last"] - customers["first"]),
        T=_weeks(CALIBRATION_END - customers["first"]),
        m=repeat.groupby("customer_id").amount.mean().reindex(customers.index).to_numpy(np.float64),
        holdout=np.asarray(later.customer_id.value_counts().reindex(customers.index, fill_value=0), dtype=np.float64),
    )


def orders(name: str, columns: list[str]) -> pd.DataFrame:
    """One row per customer and day, `amount` added up, customers in the order of their ids."""
    rows = pd.read_csv(folder() / name, sep=r"\s+", names=columns, dtype={"customer_id": str, "date": str})
    rows["date"] = pd.to_datetime(rows.date, format="%Y%m%d")
    return rows.groupby(["customer_id", "date"])[["amount"]].sum().reset_index()


def _weeks(span: pd.Series[pd.Timedelta]) -> Vector:
    return span.dt.days.to_numpy(np.float64) / 7.0


def folder() -> Path:
    spec = importlib.util.find_spec("lifetimes")
    assert spec is not None, "the data come with the lifetimes package"
    assert spec.origin is not None
    return Path(spec.origin).parent / "datasets"
