from __future__ import annotations

import hashlib
import math
from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa
import pytest

from tests import cdnow_table, small_training
from tiercast.features import reading
from tiercast.features.engines.duckdb import Engine
from tiercast.features.tables import Tables
from tiercast.training import train
from tiercast.training.windows import fingerprint, sampling
from tiercast.training.windows.sampling import Sample

EVERYBODY = 23_570


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, Tables]:
    """All of CDNOW, and a customers and an interactions table of the same people."""
    engine = Engine(threads=1)
    source = tmp_path_factory.mktemp("sampled") / "orders.parquet"
    cdnow_table.write_parquet(source)
    tables = reading.read(engine, reading.Sources(str(source)), small_training.AS_OF).tables
    people = tables.transactions.select("customer_id").distinct()
    contacts = people.mutate(kind=ibis.literal("visit"))
    return engine, tables._replace(customers=people, interactions=contacts)


def ids(engine: Engine, table: ibis.Table) -> list[str]:
    return sorted(engine.con.to_pyarrow(table["customer_id"]).to_pylist())


def draw(known: tuple[Engine, Tables], most: int) -> tuple[Sample, list[str]]:
    engine, tables = known
    sample = sampling.draw(engine, tables, most)
    return sample, ids(engine, sample.tables.transactions)


def test_a_base_that_is_small_enough_is_taken_whole(known: tuple[Engine, Tables]) -> None:
    for most in (0, EVERYBODY, 10**9):
        sample, rows = draw(known, most)
        assert (sample.n_drawn, sample.n_customers, sample.share, sample.note) == (EVERYBODY, EVERYBODY, 1.0, "")
        assert rows == ids(known[0], known[1].transactions)


def test_about_as_many_are_drawn_as_asked_for(known: tuple[Engine, Tables]) -> None:
    for most in (500, 5_000, 20_000):
        sample, _ = draw(known, most)
        spread = math.sqrt(most * (1 - most / EVERYBODY))
        assert abs(sample.n_drawn - most) < 4 * spread
        assert sample.share == pytest.approx(most / EVERYBODY, rel=0.01)
        assert f"{sample.n_drawn:,} of 23,570 customers" in sample.note


def test_who_is_drawn_comes_with_every_row_and_is_drawn_by_the_hash(known: tuple[Engine, Tables]) -> None:
    """Counted once more, with Python's own md5."""
    sample, rows = draw(known, 5_000)
    limit = 5_000 * 65_536 // EVERYBODY
    everything = ids(known[0], known[1].transactions)
    assert rows == [
        i for i in everything if int(hashlib.md5(i.encode(), usedforsecurity=False).hexdigest()[:4], 16) < limit
    ]
    people = sorted(set(rows))
    assert sample.tables.customers is not None
    assert sample.tables.interactions is not None
    assert ids(known[0], sample.tables.customers) == ids(known[0], sample.tables.interactions) == people


def test_a_smaller_sample_lies_in_a_larger_one(known: tuple[Engine, Tables]) -> None:
    small, large = (set(draw(known, most)[1]) for most in (500, 5_000))
    assert small < large


def test_a_sample_orders_and_spends_like_everybody(known: tuple[Engine, Tables]) -> None:
    """Mean spend per customer, within four standard errors of everybody's."""
    engine, tables = known
    sample, _ = draw(known, 5_000)

    def spent(transactions: ibis.Table) -> np.ndarray:
        sums = transactions.group_by("customer_id").aggregate(spent=transactions["amount"].sum())
        table: pa.Table = engine.con.to_pyarrow(sums)
        return table["spent"].to_numpy().astype(float)

    everybody, drawn = spent(tables.transactions), spent(sample.tables.transactions)
    assert abs(drawn.mean() - everybody.mean()) < 4 * everybody.std() / math.sqrt(len(drawn))


@pytest.mark.slow
def test_a_training_on_a_sample_says_so_and_knows_which_data_it_was(tmp_path: Path) -> None:
    source = small_training.every_sixteenth_customer(tmp_path / "purchases.parquet")
    rolling = small_training.SETTINGS.rolling.model_copy(update={"most_customers": 1_200})
    with Engine(threads=1) as engine:
        known = reading.read(engine, reading.Sources(str(source)), small_training.AS_OF)
        trained = train.train(engine, known, small_training.SETTINGS.model_copy(update={"rolling": rolling}))
        assert trained.data == fingerprint.digest(engine, known.tables)
        n_drawn = sampling.draw(engine, known.tables, 1_200).n_drawn
    assert trained.notes[0].startswith("Learned and judged on a sample of ")
    assert trained.churn is not None
    assert trained.churn.n_customers == n_drawn < 1_473  # all of them had bought before the holdout began
    assert trained.bundle.scorecard["notes"][0] == trained.notes[0]
