"""What learning from a sample of customers costs and saves: the same day, the same judges, fewer to learn from.

    python -m benchmarks sampling     # ten minutes

Each bundle is trained by the command line as on its day, from some of the customers; then every customer is scored by
it and held against the horizon that followed. CDNOW is real and small; the simulated shop swings with the season.
"""

from __future__ import annotations

import datetime as dt
import pathlib
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from benchmarks import score_memory, simulate
from tiercast.contract.vectors import Vector
from tiercast.demo import cdnow
from tiercast.features import labels, reading
from tiercast.features.engines.duckdb import Engine
from tiercast.features.reading import Sources
from tiercast.training.evaluation import level, probability, ranking, scorecard
from tiercast.training.evaluation.bootstrap import Metric

HORIZON = 90
SIMULATED, MOST = 200_000, (0, 50_000, 20_000)
REAL_MOST = (0, 10_000, 4_000)
METRICS = ((ranking.auc, "p_churn"), (probability.brier, "p_churn"), (ranking.ngini, "value"), (level.mae, "value"))
NAMES = ("AUC", "Brier", "nGini", "MAE")
OnStep = Callable[[str], None]


class Shop(NamedTuple):
    """A file, its day of knowledge, and how many customers at most to learn from, one number per training."""

    name: str
    path: pathlib.Path
    as_of: dt.date
    most: Sequence[int]


class Learned(NamedTuple):
    """One training. `changes` are relative to the bundle that learned from everybody; empty for that one."""

    shop: str
    n_customers: int
    n_learned: int
    seconds: float
    peak_gib: float
    bias: float
    changes: tuple[Metric, ...]


def measure(on_step: OnStep = lambda _: None) -> list[Learned]:
    """Every shop with every limit."""
    with tempfile.TemporaryDirectory(prefix="tiercast-bench-") as name:
        folder = pathlib.Path(name)
        music = Shop("CDNOW", cdnow.write_parquet(folder / "cdnow.parquet"), dt.date(1998, 4, 1), REAL_MOST)
        drawn = Shop("simulated", folder / "simulated.parquet", dt.date(2023, 10, 1), MOST)
        simulate.write(simulate.World(seasonality=0.2, refunds=0.03), SIMULATED, drawn.path, seed=3)
        return [learned for shop in (music, drawn) for learned in judge(folder, shop, on_step)]


def judge(folder: pathlib.Path, shop: Shop, on_step: OnStep) -> list[Learned]:
    """Trainings on ever fewer customers, the first of them on everybody."""
    happened = outcomes(shop)
    found: list[Learned] = []
    best: dict[str, Vector] = {}
    for most in shop.most:
        on_step(f"{shop.name}: learning from {f'{most:,}' if most else 'all'}")
        seconds, peak = _train(folder, shop, most)
        predicted = forecasts(folder, shop, happened)
        best = best or predicted
        changes = [
            scorecard.paired_gain(metric, predicted[name], best[name], happened[name], seed=1)
            for metric, name in METRICS
        ]
        bias = float(predicted["value"].sum() / happened["value"].sum() - 1)
        n = len(happened["value"])
        found.append(Learned(shop.name, n, min(most or n, n), seconds, peak, bias, tuple(changes) if found else ()))
    return found


def outcomes(shop: Shop) -> dict[str, Vector]:
    """What every customer did in the horizon, in the order of ids."""
    with Engine() as engine:
        end = shop.as_of + dt.timedelta(HORIZON)
        known = reading.read(engine, Sources(str(shop.path)), end, is_counted=False)
        future = labels.labels(known.tables, shop.as_of, HORIZON, HORIZON).order_by("customer_id")
        table: pa.Table = engine.con.to_pyarrow(future)
    return {"p_churn": _numbers(table["churned"]), "value": _numbers(table["value"])}


def forecasts(folder: pathlib.Path, shop: Shop, happened: dict[str, Vector]) -> dict[str, Vector]:
    """What the bundle says of the same customers, in the same order."""
    out = folder / "scores.parquet"
    _run("score", shop, "--bundle", folder / "bundle", "--out", out, "--reasons", "none")
    table = parquet.read_table(out).sort_by("customer_id")
    if len(table) != len(happened["value"]):
        raise ValueError("scores and outcomes are of different customers")
    return {name: _numbers(table[name]) for name in ("p_churn", "value")}


def markdown(found: Sequence[Learned]) -> list[str]:
    """One row per training."""
    names = " | ".join(NAMES)
    head = f"| shop | customers | learned from | seconds | peak memory | total of value | {names} |"
    return [head, "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|", *(_row(learned) for learned in found)]


def _row(learned: Learned) -> str:
    changes = [f"{c.value:+.2%} ({c.low:+.2%} to {c.high:+.2%})" for c in learned.changes] or ["–"] * len(METRICS)
    numbers = f"{learned.n_customers:,} | {learned.n_learned:,} | {learned.seconds:.0f} | {learned.peak_gib:.1f} GiB"
    return f"| {learned.shop} | {numbers} | {learned.bias:+.1%} | {' | '.join(changes)} |"


def _train(folder: pathlib.Path, shop: Shop, most: int) -> tuple[float, float]:
    config = folder / "most.toml"
    config.write_text(f"[rolling]\nmost_customers = {most}\nbootstrap_draws = 20\n", encoding="utf-8")
    days = ("--churn-days", HORIZON, "--value-days", HORIZON)
    return _run("train", shop, *days, "--bundle", folder / "bundle", "--config", config, "--no-mlflow")


def _run(command: str, shop: Shop, *more: object) -> tuple[float, float]:
    command_line = [sys.executable, "-m", "tiercast.cli", command, shop.path, "--as-of", shop.as_of, *more, "--json"]
    seconds, peak, _ = score_memory.watch([str(word) for word in command_line])
    return seconds, peak


def _numbers(column: pa.ChunkedArray) -> Vector:
    return np.asarray(column.to_numpy(), dtype=np.float64)
