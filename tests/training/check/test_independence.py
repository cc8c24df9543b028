"""Does money go with frequency? Measured as the textbooks do, warned about where it matters."""

from __future__ import annotations

import datetime
import json
import pathlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests import cdnow_table, make_tables
from tests.published import cdnow
from tiercast.contract.vectors import Vector
from tiercast.features import reading
from tiercast.features.engines.duckdb import Engine
from tiercast.training.check import independence, readiness
from tiercast.training.check.readiness import Readiness


def drawn(n: int = 4000, seed: int = 1) -> tuple[Vector, Vector]:
    """Repeat orders and mean values that know nothing of each other."""
    random = np.random.default_rng(seed)
    return random.integers(0, 12, n).astype(np.float64), random.gamma(3.0, 10.0, n)


def checked(source: str, as_of: datetime.date) -> Readiness:
    with Engine(threads=1) as engine:
        found = reading.read(engine, reading.Sources(source), as_of)
        return readiness.check(engine, found.tables, found.report, as_of, 30, 60)


def shop(folder: pathlib.Path, price: float) -> str:
    """120 customers of one to twelve orders; each further order raises what all of a customer's orders cost."""
    rows = [
        (f"c-{k}", day, 10.0 + price * (k % 12) + (k * 7 + day) % 5) for k in range(120) for day in range(k % 12 + 1)
    ]
    start = np.datetime64("2024-01-01")
    return make_tables.write(
        folder,
        pa.table(
            {
                "customer_id": [row[0] for row in rows],
                "ordered_at": [str(start + 20 * row[1]) for row in rows],
                "amount": [row[2] for row in rows],
            }
        ),
    )


def test_unrelated_money_is_not_warned_about() -> None:
    found = independence.measure(*drawn())
    assert abs(found.spearman) < 0.05
    assert found.eta_squared < 0.01
    assert (found.holds, found.warning) == (True, None)


def test_the_rank_correlation_is_that_of_pandas() -> None:
    x, m = drawn(500)
    m = m * (1 + x)
    found = independence.measure(x, m)
    repeat = x > 0
    expected = pd.Series(x[repeat]).rank().corr(pd.Series(m[repeat]).rank())
    assert found.spearman == pytest.approx(expected)
    assert found.n_customers == repeat.sum()
    assert found.warning is not None
    assert f"Spearman {expected:+.2f}" in found.warning


def test_eta_squared_is_the_share_between_groups_counted_by_pandas() -> None:
    x, m = drawn(800)
    table = pd.DataFrame({"group": np.minimum(x, 7), "m": m})[x > 0]
    between = table.groupby("group")["m"].transform("mean").var(ddof=0) / table["m"].var(ddof=0)
    assert independence.measure(x, m).eta_squared == pytest.approx(between)


def test_money_that_rises_and_falls_again_is_seen_by_eta_alone() -> None:
    """Customers of three repeat orders spend far more than those of one, two, four or five: no rank correlation."""
    random = np.random.default_rng(3)
    x = random.integers(1, 6, 2000).astype(np.float64)
    m = np.where(x == 3, 100.0, 20.0) + random.random(2000)
    found = independence.measure(x, m)
    assert abs(found.spearman) < independence.MOST_SPEARMAN
    assert found.eta_squared > 0.9
    assert not found.holds


def test_groups_of_one_do_not_explain_themselves() -> None:
    """Sixty customers with sixty different counts: grouped one by one, eta squared would be 1."""
    random = np.random.default_rng(4)
    found = independence.measure(np.arange(1.0, 61.0), random.gamma(3.0, 10.0, 60))
    assert found.eta_squared < 0.25


@pytest.mark.parametrize(
    ("x", "m"),
    [(np.arange(1.0, 20.0), np.arange(1.0, 20.0)), (np.ones(100), np.arange(1.0, 101.0)), (np.zeros(9), np.ones(9))],
    ids=["few", "all of one order", "nobody came back"],
)
def test_what_cannot_be_measured_is_not_called_broken(x: Vector, m: Vector) -> None:
    found = independence.measure(x, m)
    assert found.holds
    assert json.loads(json.dumps(found.as_dict()))["spearman"] is None


def test_on_cdnow_the_assumption_holds_as_fader_and_hardie_found() -> None:
    """Fader, Hardie & Lee (2005, "RFM and CLV") report a correlation of .11 over the 946 repeat buyers."""
    data = cdnow.sample()
    found = independence.measure(data.x, data.m)
    some = (data.x > 0) & (data.m > 0)
    assert np.corrcoef(data.x[some], data.m[some])[0, 1] == pytest.approx(0.11, abs=0.005)
    assert found.n_customers == 946
    assert found.holds


def test_check_warns_where_frequent_customers_spend_more(tmp_path: pathlib.Path) -> None:
    ready = checked(shop(tmp_path, price=5.0), datetime.date(2024, 9, 1))
    assert ready.independence.spearman > 0.9
    assert any(note.startswith("order value goes with the number of orders") for note in ready.lines())
    assert ready.as_dict()["independence"] == ready.independence.as_dict()


def test_check_is_silent_where_they_do_not(tmp_path: pathlib.Path) -> None:
    ready = checked(shop(tmp_path, price=0.0), datetime.date(2024, 9, 1))
    assert ready.independence.holds
    assert not any("Gamma-Gamma" in note for note in ready.lines())


def test_the_table_and_the_features_are_measured_alike(tmp_path: pathlib.Path) -> None:
    """The same customers counted by pandas from the raw rows."""
    source = cdnow_table.write_parquet(tmp_path / "cdnow.parquet")
    ready = checked(str(source), datetime.date(1998, 7, 1))
    days = cdnow_table.cdnow().to_pandas().groupby(["customer_id", "ordered_at"])["amount"].sum().reset_index()
    repeats = days[days.groupby("customer_id").cumcount() > 0].groupby("customer_id")["amount"].agg(["size", "mean"])
    expected = independence.measure(repeats["size"].to_numpy(np.float64), repeats["mean"].to_numpy())
    assert ready.independence.spearman == pytest.approx(expected.spearman, abs=1e-5)  # sums of cents tie or not
    assert ready.independence.n_customers == expected.n_customers
