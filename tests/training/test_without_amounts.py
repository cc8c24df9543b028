"""A table of visits without any amount: train, score and requests all count in orders."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests import small_training
from tiercast.contract import errors, scores
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.features.reading import Sources, read
from tiercast.models import bundle_folder
from tiercast.models.bundle import Bundle
from tiercast.serving.batch import scoring
from tiercast.serving.online import model_card
from tiercast.serving.online.requests import ScoreRequest
from tiercast.serving.online.scorer import Scorer
from tiercast.training import train
from tiercast.training.settings import Clv, Settings
from tiercast.training.train import Trained

AS_OF = small_training.AS_OF


def visits(folder: Path) -> Path:
    """Customer and day alone, every fifth row twice: two rows of a day are one order."""
    path = small_training.every_sixteenth_customer(folder / "purchases.parquet")
    table = parquet.read_table(path, columns=["customer_id", "ordered_at"])
    parquet.write_table(pa.concat_tables([table, table.take(list(range(0, table.num_rows, 5)))]), path)
    return path


def train_on(source: Path, settings: Settings = small_training.SETTINGS) -> Trained:
    with DuckDBEngine(threads=1) as engine:
        return train.train(engine, read(engine, Sources(str(source), counts_orders=True), AS_OF), settings)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return visits(tmp_path_factory.mktemp("visits"))


@pytest.fixture(scope="module")
def bundle(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("bundle") / "bundle"
    bundle_folder.save(train_on(source).bundle, folder)
    return bundle_folder.load(folder)


@pytest.fixture(scope="module")
def scored(source: Path, bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """Scored as `tiercast score` does, without being told that amounts are missing: the bundle knows."""
    out = tmp_path_factory.mktemp("scores") / "scores.parquet"
    with DuckDBEngine(threads=1) as engine:
        scoring.score_all(engine, bundle, Sources(str(source)), AS_OF, out)
    return parquet.read_table(out)


def people(source: Path, ids: list[str], **more: Any) -> ScoreRequest:
    table = parquet.read_table(source).to_pylist()
    lines = {one: [row for row in table if row["customer_id"] == one and row["ordered_at"] < AS_OF] for one in ids}
    customers = [
        {"customer_id": one, "transactions": [{"ordered_at": row["ordered_at"].isoformat(), **more} for row in rows]}
        for one, rows in lines.items()
    ]
    return ScoreRequest.model_validate({"as_of": AS_OF, "customers": customers})


def test_value_is_expected_orders_and_the_file_says_so(bundle: Bundle, scored: pa.Table) -> None:
    assert bundle.about.currency == "orders"
    about = scores.about(scored.schema)
    assert about["currency"] == "orders"
    assert "value: number of orders in [as_of, as_of + 120 days)" in about["label"]
    assert scores.about(scored.schema.field("value"))["unit"] == "orders"
    rows = scored.to_pylist()
    assert {row["expected_order_value"] for row in rows} == {1.0}
    assert [row["clv"] for row in rows] == [row["expected_orders"] for row in rows]


def test_the_total_of_value_is_near_the_orders_that_came(source: Path) -> None:
    """Judged on the holdout, counted here a second way: distinct customers and days of the window."""
    value = train_on(source).value
    assert value is not None
    begin = AS_OF - dt.timedelta(120)
    known = parquet.read_table(source).to_pylist()
    before = {row["customer_id"] for row in known if row["ordered_at"] < begin}
    came = {(r["customer_id"], r["ordered_at"]) for r in known if begin <= r["ordered_at"] < AS_OF}
    assert value.judged.actual.sum() == sum(customer in before for customer, _ in came)


def test_a_request_without_amounts_gets_the_scores_of_the_batch(source: Path, bundle: Bundle, scored: pa.Table) -> None:
    batch = {row["customer_id"]: row for row in scored.to_pylist()}
    response = Scorer(bundle).score(people(source, sorted(batch)[::20]))
    assert response["currency"] == "orders"
    for row in response["scores"]:
        for name in ("value", "p_churn", "clv", "value_high", "tier", "action"):
            assert row[name] == batch[row["customer_id"]][name], (row["customer_id"], name)


def test_a_request_with_amounts_is_refused_with_its_first_one(source: Path, bundle: Bundle, scored: pa.Table) -> None:
    one = scored["customer_id"][0].as_py()
    with pytest.raises(errors.BundleRefused, match="counts orders") as caught:
        Scorer(bundle).score(people(source, [one], amount=-3.0))
    assert caught.value.first == "customers.0.transactions.0.amount"


def test_the_model_card_asks_for_no_amount(bundle: Bundle) -> None:
    card = model_card.render(bundle, {}, {}, {}).decode()
    assert '"reads":{"transactions":["ordered_at"]' in card


def test_a_configured_currency_is_refused_where_orders_are_counted(source: Path) -> None:
    settings = small_training.SETTINGS.model_copy(update={"clv": Clv(currency="GBP")})
    with pytest.raises(errors.BadInput, match="has no currency"):
        train_on(source, settings)
