from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests import make_tables, scored_tables
from tiercast.demo import cdnow
from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.models import btyd, bundle_folder, orders
from tiercast.training import train
from tiercast.training.settings import Clv, Horizons, Rolling, Settings, Trees
from tiercast.training.train import Trained

LAST = dt.date(1998, 7, 1)
QUICKEST = Rolling(bootstrap_draws=20, most_windows=1, most_folds=1, threads=1, feature_windows=(90,))
QUICK = Settings(
    horizons=Horizons(churn_days=90, value_days=90),
    trees=Trees(rounds=20, min_data_in_leaf=20),
    rolling=Rolling(bootstrap_draws=20, most_windows=3, most_folds=1, threads=1, feature_windows=(30, 90)),
)


def run(folder: Path, table: pa.Table, settings: Settings = QUICK, as_of: dt.date = LAST, **others: Any) -> Trained:
    folder.mkdir(exist_ok=True)
    with DuckDBEngine(threads=1) as engine:
        source = scored_tables.write(folder, table)
        return train.train(engine, reading.read(engine, reading.Sources(source, **others), as_of), settings)


def hashes(trained: Trained, folder: Path) -> dict[str, str]:
    bundle_folder.save(trained.bundle, folder)
    files: dict[str, str] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    return files


# --- what the small training of `tests.small_training` gave


def test_nothing_was_fitted_on_the_holdout(trained: Trained) -> None:
    assert trained.churn is not None
    assert trained.value is not None
    assert trained.churn.as_of == LAST - dt.timedelta(90)
    assert trained.value.judged.as_of == LAST - dt.timedelta(120)
    assert trained.final.now.as_of == trained.bundle.about.as_of == LAST


def test_every_report_card_holds_the_baselines_beside_the_model(trained: Trained) -> None:
    churn, value = (trained.bundle.scorecard[target]["models"] for target in ("churn", "value"))
    assert {"tiercast", "btyd", "recency", "base_rate", "halved_window_rule"} <= set(churn)
    assert {"tiercast", "btyd", "naive_rate", "last_window_spend", "recency", "zero"} <= set(value)
    assert churn["tiercast"]["auc"]["value"] > 0.7


def test_the_actual_outcomes_are_those_of_the_purchases(trained: Trained) -> None:
    """Counted once more, from the raw table."""
    assert trained.churn is not None
    begins = LAST - dt.timedelta(90)
    lines = cdnow.cdnow().to_pandas()
    lines = lines[lines["customer_id"].astype(int) % 16 == 1]
    before = set(lines[lines["ordered_at"] < begins]["customer_id"])
    after = set(lines[(lines["ordered_at"] >= begins) & (lines["ordered_at"] < LAST)]["customer_id"])
    assert trained.churn.n_customers == len(before)
    assert trained.bundle.scorecard["churn"]["n_churned"] == len(before - after)


def test_cuts_are_where_the_settings_say(trained: Trained) -> None:
    predictions = trained.final.bundle
    now, cuts = trained.final.now, predictions.cuts
    assert cuts.p_churn == 0.5
    active = now.features["silence_days"].to_numpy() < (cuts.inactive_days or np.inf)
    from tiercast.models import predict

    value = predict.predict(predictions, {name: now.frame[name] for name in predictions.spec.names}).value
    assert (value[active] >= cuts.value).mean() == pytest.approx(0.2, abs=0.01)


# --- trainings of their own, as small as they can be


@pytest.mark.slow
def test_rows_on_or_after_as_of_change_not_a_byte_of_the_bundle(tmp_path: Path) -> None:
    table = scored_tables.purchases(40)
    as_of = dt.date(1998, 4, 1)
    days = table["ordered_at"].to_pylist()
    future = pa.table(
        {
            "customer_id": ["00001", "brand-new", "00041", ""],
            "ordered_at": [as_of, as_of, dt.date(1998, 4, 2), dt.date(2099, 1, 1)],
            "quantity": [1, 5, -3, None],
            "amount": [1e9, 5.0, -1e6, float("nan")],
        }
    ).cast(table.schema)
    past = table.filter(pa.array([day < as_of for day in days]))
    lied = pa.concat_tables([future, past, future])
    found = [
        hashes(run(tmp_path / name, given, as_of=as_of), tmp_path / name / "bundle")
        for name, given in {"as it was": past, "with the rest": table, "with lies": lied}.items()
    ]
    assert found[0] == found[1] == found[2]


@pytest.mark.slow
def test_what_happened_after_the_holdout_began_is_invisible_to_the_judged_model(tmp_path: Path) -> None:
    """Every purchase of the holdout is made absurd; the model that is judged there predicts the same, bit by bit."""
    begins = LAST - dt.timedelta(90)
    table = scored_tables.purchases(40)
    is_future = np.array([day >= begins for day in table["ordered_at"].to_pylist()])
    amounts = table["amount"].to_numpy()
    absurd = table.set_column(
        table.column_names.index("amount"), "amount", pa.array(np.where(is_future, 1e6 - amounts, amounts))
    ).filter(pa.array(~is_future | (np.arange(len(is_future)) % 3 == 0)))
    one, other = (run(tmp_path / name, given) for name, given in {"true": table, "absurd": absurd}.items())
    assert one.churn is not None
    assert one.value is not None
    assert other.churn is not None
    assert other.value is not None
    assert np.array_equal(one.churn.predictions.p_churn, other.churn.predictions.p_churn)
    assert np.array_equal(one.value.judged.predictions.value, other.value.judged.predictions.value)
    assert np.array_equal(one.value.tiers, other.value.tiers)
    assert not np.array_equal(one.churn.actual, other.churn.actual), "the lie was there"


@pytest.mark.slow
def test_a_churn_horizon_longer_than_the_value_horizon_can_be_trained(tmp_path: Path) -> None:
    chosen = QUICK.model_copy(update={"horizons": Horizons(churn_days=180, value_days=90), "rolling": QUICKEST})
    bundle = run(tmp_path, scored_tables.purchases(40), chosen).bundle
    assert (bundle.about.churn_days, bundle.about.value_days) == (180, 90)
    assert np.isfinite(bundle.intervals.high).all()


@pytest.mark.slow
@pytest.mark.parametrize("model", ["mbgnbd", "paretonbd", "auto"])
def test_a_bundle_says_and_holds_the_order_model_that_was_asked_for(model: str, tmp_path: Path) -> None:
    chosen = QUICK.model_copy(update={"clv": Clv.model_validate({"model": model}), "rolling": QUICKEST})
    trained = run(tmp_path, scored_tables.purchases(40), chosen)
    bundle_folder.save(trained.bundle, tmp_path / "bundle")
    loaded = bundle_folder.load(tmp_path / "bundle")
    assert loaded.btyd == trained.bundle.btyd
    title = orders.title(loaded.btyd.orders)
    assert any(note.startswith(f"{title}: ") for note in loaded.scorecard["notes"])
    assert any(note.startswith("Order model: ") for note in loaded.scorecard["notes"]) == (model == "auto")
    if model != "auto":
        assert orders.name(loaded.btyd.orders) == model
    assert trained.churn is not None
    alive = trained.churn.snapshot.features[btyd.P_ALIVE][trained.churn.snapshot.features["n_repeat_orders"] == 0]
    assert (alive < 1).all() == (model != "auto" or orders.name(loaded.btyd.orders) != "bgnbd")


@pytest.mark.slow
def test_customers_with_odd_attributes_can_be_trained_on_and_explained(tmp_path: Path) -> None:
    table = scored_tables.purchases(40)
    ids = sorted(set(table["customer_id"].to_pylist()))
    people = {
        "customer_id": [*ids, "prospect"],
        "joined_on": ["1996-12-31"] * len(ids) + ["1998-06-01"],
        "n": [f"group {int(one) % 3}" for one in ids] + ["group 0"],
        'size: {x}, "cm"': [float(one) for one in ids] + [None],
        "城市": ["上海" if int(one) % 2 else "Köln" for one in ids] + [None],
    }
    places: dict[str, Any] = {"customers": make_tables.write(tmp_path, people, "people.parquet")}
    settings = QUICK.model_copy(update={"horizons": Horizons(churn_days=180, value_days=180), "rolling": QUICKEST})
    bundle = run(tmp_path, table, settings, **places).bundle
    bundle_folder.save(bundle, tmp_path / "bundle")
    loaded = bundle_folder.load(tmp_path / "bundle")
    source = scored_tables.write(tmp_path, table)
    scored = scored_tables.score(loaded, source, tmp_path / "scores.parquet", **places)
    assert scored.num_rows == len(ids) + 1
    assert scored["status"].to_pylist().count("prospect") == 1


def test_too_short_a_history_leaves_the_closed_form_alone_and_says_so(tmp_path: Path) -> None:
    table = scored_tables.purchases(40)
    early = table.filter(pa.array([day < dt.date(1997, 3, 1) for day in table["ordered_at"].to_pylist()]))
    done = run(tmp_path, early, as_of=dt.date(1997, 3, 1))
    assert done.bundle.churn.stack.trees is None
    assert done.bundle.about.churn_testable_on == "1997-08-14"  # 45 + 90 + 90 days after 1 January
    assert "Churn: No window of 90 days has closed in which somebody came back: the closed form alone." in done.notes
