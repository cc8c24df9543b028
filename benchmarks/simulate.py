"""Customers whose truth is known: BG/NBD x Gamma-Gamma, as fast as NumPy draws.

    python -m benchmarks.simulate --customers 1000000 --out transactions.parquet
    python -m benchmarks.simulate --customers 20000000 --out transactions/      # a folder, a file per half million

Every customer has an order rate, a leaving probability and a mean order value of their own, drawn from the
population's parameters. `--seasonality 0.3` lets the whole market swing by 30 % around its mean over the
year, highest in mid-December; `--refunds 0.05` returns 5 % of the orders, in full, within a month. With `--yearly`
nobody is Poisson any more: customers order on days of the year that are their own (see `benchmarks.yearly`).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks import yearly
from benchmarks.yearly import Yearly
from tiercast.contract.vectors import Vector
from tiercast.models.bgnbd import BgNbd
from tiercast.models.gamma_gamma import GammaGamma

FIRST_DAY = np.datetime64("2022-01-01", "us")
MICROSECONDS = 86_400_000_000
HIGHEST_DAY = 348.0  # 15 December
CUSTOMERS_AT_ONCE = 500_000
SCHEMA = pa.schema([("customer_id", pa.string()), ("ordered_at", pa.timestamp("us")), ("amount", pa.float64())])


class World(NamedTuple):
    """The truth. Times in days; the defaults give about five orders per customer in two years.

    New customers come evenly over the world's days. With `cohort_days` they all come within its first days; with
    `growth` g, exp(g) times as many come every year.
    """

    bg: BgNbd = BgNbd(r=0.9, alpha=60.0, a=0.8, b=6.0)
    gg: GammaGamma = GammaGamma(p=6.25, q=3.74, v=15.44)
    days: int = 730
    seasonality: float = 0.0
    refunds: float = 0.0
    yearly: Yearly | None = None
    cohort_days: int = 0
    growth: float = 0.0


class Piece(NamedTuple):
    """Some neighbouring customers of a large world, and the folder that their file goes to."""

    world: World
    first: int
    customers: int
    seed: int
    folder: Path


class Orders(NamedTuple):
    """One entry per order, by customer and time; `customer` counts from 0, `at` is days since the first day."""

    customer: NDArray[np.int64]
    at: Vector
    amount: Vector


class Summaries(NamedTuple):
    """One entry per customer, as the models want it; `m` is NaN without repeat orders."""

    x: Vector
    t_x: Vector
    T: Vector
    m: Vector


def simulate(world: World, n_customers: int, random: np.random.Generator) -> Orders:
    """Draw everyone's orders from their first one to the end of the world."""
    if world.yearly is not None:
        leave = _orders_until_leaving(world.bg, n_customers, random)
        customer, at = yearly.draw(world.yearly, world.days, leave, random)
        return Orders(customer, at, _amounts(world.gg, customer, n_customers, random))
    born = np.floor(_first_days(world, random.random(n_customers))) + random.random(n_customers)
    born = np.minimum(born, world.days - 1e-3)
    customer, at = _repeat_orders(world, born, random)
    customer = np.concatenate([np.arange(n_customers), customer])
    order = np.argsort(customer + np.concatenate([born, at]) / (2.0 * world.days), kind="stable")
    customer, at = customer[order], np.concatenate([born, at])[order]
    return Orders(customer, at, _amounts(world.gg, customer, n_customers, random))


def summarise(orders: Orders, days: float) -> Summaries:
    """x, t_x, T and m with exact times: what the model was made for."""
    return _summarise(orders.customer, orders.at, orders.amount, days)


def summarise_by_day(orders: Orders, days: int) -> Summaries:
    """The same from whole days: a customer's orders of one day are one order."""
    day = np.floor(orders.at)
    is_new = np.diff(orders.customer * (2.0 * days) + day, prepend=-1.0) != 0
    starts = np.flatnonzero(is_new)
    return _summarise(orders.customer[starts], day[starts], np.add.reduceat(orders.amount, starts), days)


def write(world: World, n_customers: int, path: Path, seed: int) -> int:
    """Write the transactions as Parquet, some customers per row group, and return the number of rows."""
    random, rows = np.random.default_rng(seed), 0
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for first in range(0, n_customers, CUSTOMERS_AT_ONCE):
            table = _table(world, first, min(CUSTOMERS_AT_ONCE, n_customers - first), random)
            writer.write_table(table)
            rows += table.num_rows
    return rows


def write_pieces(world: World, n_customers: int, folder: Path, seed: int, at_once: int = CUSTOMERS_AT_ONCE) -> int:
    """Write one Parquet file per `at_once` customers into a new folder, a process per core, and return the rows.

    Every piece has a seed of its own, so that the files depend neither on the cores nor on how many pieces follow.
    """
    folder.mkdir(parents=True)
    firsts = range(0, n_customers, at_once)
    pieces = [Piece(world, first, min(at_once, n_customers - first), seed, folder) for first in firsts]
    # A new process instead of a copy of this one: whoever measures has threads running that a copy would lose.
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as processes:
        return sum(processes.map(write_piece, pieces))


def write_piece(piece: Piece) -> int:
    """Write one piece as a file named after its first customer, and return its rows."""
    random = np.random.default_rng([piece.seed, piece.first])
    table = _table(piece.world, piece.first, piece.customers, random)
    pq.write_table(table, piece.folder / f"{piece.first:09}.parquet", compression="zstd")
    return int(table.num_rows)


def write_orders(orders: Orders, path: Path) -> None:
    """Write drawn orders as the transactions of a shop."""
    pq.write_table(_as_table(orders, 0), path)


def _first_days(world: World, share: Vector) -> Vector:
    """The day by which such a share of all customers has come."""
    days = float(world.cohort_days or world.days)
    if world.growth == 0.0:
        return share * days
    total = world.growth * days / 365.25
    return np.asarray(days / total * np.log1p(share * np.expm1(total)))


def _repeat_orders(world: World, born: Vector, random: np.random.Generator) -> tuple[NDArray[np.int64], Vector]:
    """Who ordered again, and when: Poisson in the market's own time until leaving or the end."""
    bg, n_customers = world.bg, len(born)
    rate = random.gamma(bg.r, 1.0 / bg.alpha, n_customers)
    began, ends = _market_time(world, born), float(_market_time(world, np.array([world.days * 1.0]))[0])
    wanted = random.poisson(rate * (ends - began))
    customer = np.repeat(np.arange(n_customers), wanted)
    share = np.sort(customer + random.random(len(customer))) - customer  # each customer's times, in order
    nth = np.arange(len(customer)) - np.repeat(np.cumsum(wanted) - wanted, wanted) + 1
    kept = nth <= np.repeat(_orders_until_leaving(bg, n_customers, random), wanted)
    market = began[customer[kept]] + share[kept] * (ends - began[customer[kept]])
    return customer[kept], _calendar_time(world, market)


def _orders_until_leaving(bg: BgNbd, n_customers: int, random: np.random.Generator) -> NDArray[np.int64]:
    if bg.a == 0:
        return np.full(n_customers, np.iinfo(np.int64).max)
    return random.geometric(np.maximum(random.beta(bg.a, bg.b, n_customers), 1e-15))


def _market_time(world: World, day: Vector) -> Vector:
    """Integral of 1 + s cos(2 pi (day - highest) / 365.25): days, stretched where the market is high."""
    turn = 2.0 * np.pi / 365.25
    swing = np.sin(turn * (day - HIGHEST_DAY)) - np.sin(-turn * HIGHEST_DAY)
    return np.asarray(day + world.seasonality / turn * swing, dtype=np.float64)


def _calendar_time(world: World, market: Vector) -> Vector:
    if world.seasonality == 0.0:
        return market
    grid = np.linspace(0.0, world.days, 24 * world.days + 1)
    return np.interp(market, _market_time(world, grid), grid)


def _amounts(gg: GammaGamma, customer: NDArray[np.int64], n_customers: int, random: np.random.Generator) -> Vector:
    scale = gg.v / random.gamma(gg.q, size=n_customers)
    return random.gamma(gg.p, size=len(customer)) * scale[customer]


def _summarise(customer: NDArray[np.int64], at: Vector, amount: Vector, days: float) -> Summaries:
    first = np.flatnonzero(np.diff(customer, prepend=-1))
    last = np.append(first[1:], len(customer)) - 1
    x = (last - first).astype(np.float64)
    repeat_money = np.add.reduceat(amount, first) - amount[first]
    m = np.divide(repeat_money, x, out=np.full(len(x), np.nan), where=x > 0)
    return Summaries(x, at[last] - at[first], days - at[first], m)


def _with_refunds(world: World, orders: Orders, random: np.random.Generator) -> Orders:
    """Add a negative line for some orders, 0 to 30 days later, if the world lasts that long."""
    back = np.flatnonzero(random.random(len(orders.at)) < world.refunds)
    later = orders.at[back] + 30.0 * random.random(len(back))
    back, later = back[later < world.days], later[later < world.days]
    return Orders(
        np.concatenate([orders.customer, orders.customer[back]]),
        np.concatenate([orders.at, later]),
        np.concatenate([orders.amount, -orders.amount[back]]),
    )


def _table(world: World, first_customer: int, n_customers: int, random: np.random.Generator) -> pa.Table:
    orders = simulate(world, n_customers, random)
    return _as_table(_with_refunds(world, orders, random), first_customer)


def _as_table(orders: Orders, first_customer: int) -> pa.Table:
    """Rows as a shop's log has them: by time, with cents."""
    by_time = np.argsort(orders.at)
    numbers = pa.array(np.arange(first_customer, first_customer + int(orders.customer.max()) + 1)).cast(pa.string())
    ids = pc.binary_join_element_wise("c", pc.utf8_lpad(numbers, 9, "0"), "-")
    cents = np.round(orders.amount[by_time], 2)
    return pa.table(
        {
            "customer_id": ids.take(pa.array(orders.customer[by_time])),
            "ordered_at": FIRST_DAY + (orders.at[by_time] * MICROSECONDS).astype(np.int64).astype("timedelta64[us]"),
            "amount": np.where(cents == 0.0, np.sign(orders.amount[by_time]) * 0.01, cents),
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Simulated transactions with known parameters, as Parquet.")
    parser.add_argument("--customers", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="a file, or without a suffix a new folder")
    parser.add_argument("--days", type=int, default=World().days)
    parser.add_argument("--seasonality", type=float, default=0.0, help="0 to 1: swing over the year")
    parser.add_argument("--refunds", type=float, default=0.0, help="0 to 1: share of orders that come back")
    parser.add_argument("--yearly", action="store_true", help="customers order on days of the year of their own")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rhythm = Yearly() if args.yearly else None
    world = World(days=args.days, seasonality=args.seasonality, refunds=args.refunds, yearly=rhythm)
    rows = (write if args.out.suffix else write_pieces)(world, args.customers, args.out, args.seed)
    print(f"{rows:,} rows of {args.customers:,} customers in {args.out}: {world}")


if __name__ == "__main__":
    main()
