"""No choice made on a day depends on what happens on that day or later: the bundles have the same bytes."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import compute

from benchmarks import simulate
from tests import make_tables
from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.models import bundle_folder
from tiercast.models.bundle import About
from tiercast.training import train
from tiercast.training.settings import Clv, Horizons, Rolling, Settings, Trees

FIRST, YEARS = dt.date(2022, 1, 1), 6
AS_OF = dt.date(2027, 1, 1)
CASES = [  # churn days, value days, and how many days before `AS_OF` the bundle is of
    (90, 365, 0),
    (180, 400, 0),
    (365, 730, 0),
    (90, 365, 90),
    (400, 180, 400),
    (180, 400, 400),
    (365, 730, 730),
]
Shop = Mapping[str, pa.Table]


@functools.cache
def shop() -> Shop:
    """A seasonal shop of 400 customers who joined on the day of their first order, half of them with complaints."""
    world = simulate.World(days=365 * YEARS, seasonality=0.6)
    drawn = simulate.simulate(world, 400, np.random.default_rng(1))
    days = np.datetime64(FIRST, "us") + (drawn.at * simulate.MICROSECONDS).astype("timedelta64[us]")
    ids = np.char.add("c", drawn.customer.astype(str))
    orders = pa.table({"customer_id": ids, "ordered_at": days, "amount": np.round(drawn.amount, 2)})
    joined = orders.group_by("customer_id").aggregate([("ordered_at", "min")])
    cities = [f"city {int(one[1:]) % 60}" for one in joined["customer_id"].to_pylist()]  # more than are kept
    people = pa.table({"customer_id": joined["customer_id"], "joined_on": joined["ordered_at_min"], "city": cities})
    met = orders.select(["customer_id", "ordered_at"]).rename_columns(["customer_id", "occurred_at"]).slice(0, 200)
    return {
        "transactions": orders,
        "customers": people,
        "interactions": met.append_column("kind", pa.array(["complaint"] * met.num_rows)),
    }


def midnight(day: dt.date) -> pa.Scalar:
    return pa.scalar(dt.datetime.combine(day, dt.time()), pa.timestamp("us"))


def before(table: pa.Table, column: str, day: dt.date) -> pa.Table:
    return table.filter(compute.less(table[column], midnight(day)))


def lied(day: dt.date) -> Shop:
    """All rows on or after the day changed, a third of them lost, and others added: nobody could know any of it."""
    true = shop()
    orders = true["transactions"]
    later = orders.filter(compute.greater_equal(orders["ordered_at"], midnight(day)))
    later = later.filter(pa.array(np.arange(later.num_rows) % 3 > 0))
    later = later.set_column(2, "amount", compute.multiply(later["amount"], 100.0))
    moment = [np.datetime64(day, "us"), np.datetime64(day + dt.timedelta(40), "us")]
    strangers = pa.table({"customer_id": ["new-1", "c1"], "ordered_at": moment, "amount": [1e6, -1e5]})
    people = pa.table({"customer_id": ["new-1", "new-2"], "joined_on": moment, "city": ["never seen", "city 1"]})
    met = pa.table({"customer_id": ["c1", "c2"], "occurred_at": moment, "kind": ["survey", "visit"]})
    return {
        "transactions": pa.concat_tables([strangers, before(orders, "ordered_at", day), later]),
        "customers": pa.concat_tables([before(true["customers"], "joined_on", day), people]),
        "interactions": pa.concat_tables([met, before(true["interactions"], "occurred_at", day)]),
    }


def sources(tables: Shop, folder: Path) -> reading.Sources:
    places = {name: make_tables.write(folder, table, f"{name}.parquet") for name, table in tables.items()}
    return reading.Sources(places["transactions"], places["customers"], places["interactions"])


def settings(horizons: tuple[int, int]) -> Settings:
    return Settings(
        horizons=Horizons(churn_days=horizons[0], value_days=horizons[1]),
        clv=Clv(model="auto" if horizons == (90, 365) else "bgnbd"),
        trees=Trees(rounds=10, min_data_in_leaf=20),
        rolling=Rolling(most_windows=5, most_folds=2, threads=1, feature_windows=(90,)),
    )


def bundle_of_day(tables: Shop, horizons: tuple[int, int], days: int, folder: Path) -> dict[str, bytes]:
    """The files of the bundle `days` before `AS_OF`, in a training that knows what happened until `AS_OF`."""
    folder.mkdir()
    chosen = settings(horizons)
    with DuckDBEngine(threads=1) as engine:
        known = reading.read(engine, sources(tables, folder), AS_OF, is_counted=False)
        tables_known = known.tables._replace(transactions=engine.store("known", known.tables.transactions))
        snapshots = train.open_snapshots(engine, tables_known, (known.report.first_on, AS_OF), chosen)
        found = train.run_earlier(snapshots, days, chosen, About(AS_OF, *horizons))
    assert found is not None
    bundle_folder.save(found.bundle, folder / "bundle")
    return {path.name: path.read_bytes() for path in (folder / "bundle").iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize(("churn_days", "value_days", "days"), CASES)
def test_what_happens_on_a_day_or_later_changes_no_byte_of_the_bundle_of_that_day(
    churn_days: int, value_days: int, days: int, tmp_path: Path
) -> None:
    horizons = churn_days, value_days
    true = bundle_of_day(shop(), horizons, days, tmp_path / "true")
    assert bundle_of_day(lied(AS_OF - dt.timedelta(days)), horizons, days, tmp_path / "lied") == true
