"""The usual script in full: its features are ours, and what it writes is what a score says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import score_memory, simulate, usual_features
from benchmarks.score_memory import Measured, Scored
from tiercast.features import parts, reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.features.spec import FeatureSpec

END = pd.Timestamp("2024-01-01")
SPEC = FeatureSpec(windows=(30, 60, 90, 180, 365), season_days=90)
SCORE = ("p_churn", "loyalty", "p_alive", "expected_orders", "expected_order_value", "clv", "value")
SURE = ("value_low", "value_high", "p_high_value", "tier_confidence", "is_borderline", "tier", "action", "as_of")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated shop with a refund in fifty rows, and two rows of some days."""
    path = tmp_path_factory.mktemp("usual") / "orders.parquet"
    simulate.write(simulate.World(), 3_000, path, seed=5)
    rows = pq.read_table(path).to_pandas()
    back = rows[::50].assign(amount=-rows["amount"][::50] / 4)
    again = rows[::7].assign(amount=1.25)
    everything = pd.concat([rows, back, again], ignore_index=True)
    pq.write_table(pa.Table.from_pandas(everything, preserve_index=False), path)
    return path


def test_its_features_are_those_of_our_model(shop: Path) -> None:
    with DuckDBEngine() as engine:
        read = reading.read(engine, reading.Sources(str(shop)), score_memory.AS_OF)
        ours = parts.features(engine, read.tables, score_memory.AS_OF, SPEC, 0, 1).to_pandas().set_index("customer_id")
    theirs = usual_features.features(pd.read_parquet(shop), END).loc[ours.index]
    assert set(theirs.columns) == set(SPEC.names)
    for name in SPEC.names:
        np.testing.assert_allclose(theirs[name].to_numpy(np.float64), ours[name].to_numpy(), atol=1e-5, err_msg=name)


def test_it_writes_what_a_score_says(shop: Path, tmp_path: Path) -> None:
    asked = [sys.executable, "-m", "benchmarks.usual_in_full"]
    subprocess.run([*asked, "fit", str(shop), str(tmp_path / "model")], check=True)
    for flags in ([], ["--reasons"]):
        out = tmp_path / f"scores{len(flags)}.parquet"
        command = [*asked, "score", str(shop), str(tmp_path / "model"), str(out), *flags]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        scores = pd.read_parquet(out)
        assert json.loads(said) == {"customers": len(scores)} == {"customers": 3_000}
        assert {*SCORE, *SURE} <= set(scores.columns)
        assert [f"reason_{k}" in scores for k in (1, 2, 3)] == [bool(flags)] * 3
    chances = scores[["p_churn", "p_alive", "p_high_value", "tier_confidence"]].to_numpy()
    assert ((chances >= 0) & (chances <= 1)).all()
    assert (scores["value_low"] <= scores["value_high"]).all()
    assert (scores.loc[scores["tier"].isin(["A", "B"]), "value"].min()) > scores.loc[
        scores["tier"] == "D", "value"
    ].max()
    assert (scores["reason_1"] != scores["reason_2"]).all()


def test_ratios_are_like_for_like() -> None:
    """Ours take 10 s without reasons and 20 with; theirs 40 lean, 30 with the same output, 80 with reasons too."""
    ours = [Scored(10**6, 5 * 10**6, kind, seconds, 1.0) for kind, seconds in (("none", 10.0), ("all", 20.0))]
    theirs = [Scored(10**6, 5 * 10**6, "", seconds, 1.0) for seconds in (40.0, 30.0, 80.0)]
    like, lean = score_memory.beside(Measured(tuple(ours), tuple(theirs), ()))
    assert "the same output without reasons: 3.0 times `--reasons none`" in like
    assert "the same output with reasons for all: 4.0 times `--reasons all`" in like
    assert "4.0 times `--reasons none`, 2.0 times `--reasons all`" in lean
