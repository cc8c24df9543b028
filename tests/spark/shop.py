"""A simulated shop with every optional table and column, refunds, and faults of every kind in its rows."""

from __future__ import annotations

import datetime as dt
import pathlib
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

from benchmarks import simulate
from benchmarks.simulate import World
from tiercast.contract.inputs import INTERACTION_KINDS
from tiercast.features.reading import Sources
from tiercast.features.spec import Attribute, FeatureSpec

AS_OF = dt.date(2023, 7, 1)
N_CUSTOMERS = 300
CITIES = ("Oslo", "Rome", "São Paulo", "北京", "007")
EVERY_COLUMN = FeatureSpec(
    windows=(30, 60, 90, 180, 365),
    season_days=90,
    columns=("product_id", "category", "channel", "quantity", "margin"),
    attributes=(Attribute("age", "number"), Attribute("city", "label", ("007", "Oslo", "北京"))),
    has_joined_on=True,
    contact_kinds=("visit", "complaint", "campaign"),
    contact_columns=("score", "minutes"),
)
# customer, time, amount: each has one fault, or looks like one
ODD_LINES = (
    ("", "2023-01-05", "5"),
    ("  ", "2023-01-05T10:00:00", "5"),
    ("c-000000001", "", "5"),
    ("c-000000001", "31/01/2023", "5"),
    ("c-000000001", "2023-02-30", "5"),
    ("c-000000002", "2023-03-01 10:11:12.123456", "twelve"),
    ("c-000000002", "2023-03-01 10:11:12", "1e15"),
    ("c-000000002", "2023-03-01 10:11:12", "NaN"),
    ("c-000000003", "2023-03-01 10:11:12", " -3.5 "),
    ("c-000000003", "2023-03-02", "0"),
    ("c-000000003", "2023-03-02", "0"),
    ("c-000000004", "2023-06-30 23:59:59.999999", "1.0000005"),
    ("c-000000004", "2023-07-01", "1"),
    ("only-refunds", "2023-03-03", "-8"),
    (" a b ", "2023-03-04", "+1e2"),
    ("客户", "2023-03-05", ".5"),
)


def typed(folder: pathlib.Path) -> Sources:
    """The shop as Parquet, with types: floats that may be no number, timestamps, labels that are numbers."""
    table = _lines(np.random.default_rng(3))
    money = table["amount"].to_numpy().copy()
    money[[3, 5, 7]] = [np.nan, np.inf, 1e13]
    blank = pa.array([None if k % 97 == 5 else one for k, one in enumerate(table["customer_id"].to_pylist())])
    table = table.set_column(0, "customer_id", blank).set_column(2, "amount", pa.array(money))
    rank = np.where(np.arange(N_CUSTOMERS) % 7 == 0, np.nan, np.arange(N_CUSTOMERS) % 5)
    people = _people().append_column("rank", pa.array(rank)).append_column("is_new", pa.array(rank > 2))
    return _write(folder, table, people, _contacts(np.random.default_rng(4)))


def written(folder: pathlib.Path) -> Sources:
    """The shop as text, with lines that are wrong, blank, late or odd."""
    table = _lines(np.random.default_rng(3))
    names = ("customer_id", "ordered_at", "amount")
    text = table.select(names).to_pylist()
    lines = [{name: str(row[name]) for name in names} for row in text]
    lines += [dict(zip(names, odd, strict=True)) for odd in ODD_LINES]
    orders = folder / "orders.csv"
    csv.write_csv(pa.Table.from_pylist(lines), orders)
    people, contacts = folder / "people.csv", folder / "contacts.csv"
    csv.write_csv(_people(), people)
    met = _contacts(np.random.default_rng(4))
    met = met.set_column(1, "occurred_at", pa.array([str(at) for at in met["occurred_at"].to_pylist()]))
    csv.write_csv(met, contacts)
    return Sources(str(orders), str(people), str(contacts))


def _lines(random: np.random.Generator) -> pa.Table:
    orders = simulate.simulate(World(days=600, refunds=0.05), N_CUSTOMERS, random)
    table = simulate._as_table(simulate._with_refunds(World(days=600, refunds=0.05), orders, random), 0)
    n = table.num_rows
    amount = table["amount"].to_numpy()
    more: dict[str, Any] = {
        "product_id": [None if k % 41 == 0 else f"p-{k % 13}" for k in range(n)],
        "category": [("food", "toys", " ", "")[k % 4] for k in range(n)],
        "channel": [("web", "shop")[k % 3 == 0] for k in range(n)],
        "quantity": np.where(np.arange(n) % 29 == 0, np.nan, 1.0 + np.arange(n) % 3),
        "margin": np.round(amount * 0.3, 4),
        "shelf": np.arange(n) % 9,  # a column that nobody knows
    }
    for name, cells in more.items():
        table = table.append_column(name, pa.array(cells))
    return table


def _people() -> pa.Table:
    """Half of the buyers, some who never bought, some who join later."""
    ids = [f"c-{k:09d}" for k in range(0, N_CUSTOMERS, 2)] + [f"prospect-{k}" for k in range(N_CUSTOMERS // 2)]
    days = [None if k % 11 == 0 else dt.date(2021, 1, 1) + dt.timedelta(k * 4) for k in range(N_CUSTOMERS)]
    cities = [None if k % 13 == 0 else CITIES[k % len(CITIES)] for k in range(N_CUSTOMERS)]
    return pa.table({"customer_id": ids, "joined_on": days, "city": cities, "age": pa.array(_ages())})


def _ages() -> list[str]:
    return [("41", "9.5", " ", "-3")[k % 4] for k in range(N_CUSTOMERS)]


def _contacts(random: np.random.Generator) -> pa.Table:
    n = 900
    kinds = (*INTERACTION_KINDS, "rumour", "")
    days = random.integers(0, 600, n)
    return pa.table(
        {
            "customer_id": [f"c-{k:09d}" for k in random.integers(0, N_CUSTOMERS, n)],
            "occurred_at": simulate.FIRST_DAY + days.astype("timedelta64[D]").astype("timedelta64[us]"),
            "kind": [kinds[k] for k in random.integers(0, len(kinds), n)],
            "score": np.where(days % 17 == 0, np.nan, days % 11 / 10),
            "minutes": np.round(random.random(n) * 30, 3),
        }
    )


def _write(folder: pathlib.Path, orders: pa.Table, people: pa.Table, contacts: pa.Table) -> Sources:
    places = [folder / f"{name}.parquet" for name in ("orders", "people", "contacts")]
    for place, table in zip(places, (orders, people, contacts), strict=True):
        parquet.write_table(table, place)
    return Sources(str(places[0]), str(places[1]), str(places[2]))
