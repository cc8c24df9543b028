from __future__ import annotations

import datetime as dt
import pathlib
import warnings
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest

from tests import built_features
from tests.built_features import orders
from tests.cdnow_table import cdnow, write_parquet
from tiercast.contract import errors
from tiercast.features import build, reading, schema
from tiercast.features.engines.duckdb import Engine
from tiercast.features.spec import Attribute, FeatureSpec
from tiercast.features.tables import Tables

PLAIN = FeatureSpec(windows=(30,))
LINES: dict[str, Any] = {
    "customer_id": ["eve"] * 4 + ["fay"],
    "ordered_at": ["2024-01-01", "2024-01-01", "2024-01-20", "2024-01-25", "2024-02-01"],
    "amount": [10.0, 5.0, 20.0, -20.0, 1.0],
    "product_id": ["p1", "p2", "p1", "p9", None],  # the returned line and the blank one are no purchase of a product
    "category": ["shoes", "shoes", "hats", "coats", None],
    "channel": ["web", "web", "shop", "shop", "web"],
    "quantity": [2.0, 1.0, 3.0, 1.0, None],
}


def test_optional_columns_give_breadth_and_depth_worked_out_by_hand(tmp_path: pathlib.Path) -> None:
    rows = built_features.rows(
        tmp_path, LINES, PLAIN._replace(columns=("product_id", "category", "channel", "quantity"))
    )
    eve, fay = rows["eve"], rows["fay"]
    assert (eve["n_products"], eve["n_categories"], eve["n_channels"]) == (2, 2, 2)
    assert eve["products_per_order"] == 3 / 2  # three purchase lines in two orders
    assert eve["repeat_product_share"] == pytest.approx(1 - 2 / 3)  # p1 came back
    assert eve["quantity_per_order"] == (2 + 1 + 3) / 2
    assert (fay["n_products"], fay["products_per_order"], fay["quantity_per_order"]) == (0, 0, 0)
    assert fay["repeat_product_share"] is None


def test_columns_that_training_did_not_have_give_no_feature(tmp_path: pathlib.Path) -> None:
    eve = built_features.rows(tmp_path, LINES, PLAIN)["eve"]
    assert tuple(eve) == ("customer_id", *PLAIN.names)
    assert not any("product" in name or "channel" in name for name in eve)


def test_every_feature_is_a_double(tmp_path: pathlib.Path) -> None:
    spec = PLAIN._replace(columns=("product_id", "category", "channel", "quantity"), season_days=30)
    source = tmp_path / "orders.csv"
    pd.DataFrame(LINES).to_csv(source, index=False)
    with Engine(threads=1) as engine:
        tables = reading.read(engine, reading.Sources(str(source)), built_features.AS_OF).tables
        types = build.build(tables, built_features.AS_OF, spec).schema()
    assert {name for name, kind in types.items() if not kind.is_float64()} == {"customer_id"}


def test_rows_on_as_of_and_after_are_not_there(tmp_path: pathlib.Path) -> None:
    lines = orders(("a", "2024-02-29 23:59:59", 1.0), ("a", "2024-03-01 00:00:00", 100.0), ("b", "2024-03-02", 1.0))
    rows = built_features.rows(tmp_path, lines, PLAIN)
    assert set(rows) == {"a"}
    assert (rows["a"]["spend_total"], rows["a"]["silence_days"]) == (1, 1)


def test_build_leaves_out_later_rows_by_itself_even_if_the_reader_did_not() -> None:
    later = ibis.memtable(
        {
            "customer_id": ["a", "b"],
            "ordered_on": [dt.date(2024, 2, 1), dt.date(2024, 3, 1)],
            "money": [1.0, 2.0],
            "amount": [1.0, 2.0],
        }
    )
    with Engine(threads=1) as engine:
        found = engine.con.to_pyarrow(build.build(Tables(later), built_features.AS_OF, PLAIN))
    assert found["customer_id"].to_pylist() == ["a"]


def _columns(table: pd.DataFrame) -> dict[str, list[Any]]:
    return {str(name): table[name].tolist() for name in table.columns}


def test_row_order_and_threads_do_not_change_a_bit(tmp_path: pathlib.Path) -> None:
    rng = np.random.default_rng(5)
    n = 3000
    table = pd.DataFrame(
        {
            "customer_id": rng.integers(0, 200, n).astype(str),
            "ordered_at": pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 420, n), "D"),
            "amount": rng.normal(20, 15, n).round(2) / 3,
        }
    )
    spec = FeatureSpec(windows=(30, 60, 90), season_days=90)
    shuffled = table.sample(frac=1, random_state=1)
    first, second = (tmp_path / name for name in ("first", "second"))
    first.mkdir()
    second.mkdir()
    one = built_features.rows(first, _columns(table), spec, threads=1)
    other = built_features.rows(second, _columns(shuffled), spec, threads=2)
    assert one == other


def test_summaries_of_cdnow_equal_those_of_lifetimes(tmp_path: pathlib.Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes import utils

        table = cdnow().to_pandas()
        as_of = dt.date(1997, 10, 1)
        past = table[pd.to_datetime(table["ordered_at"]) < pd.Timestamp(as_of)]
        theirs = utils.summary_data_from_transaction_data(
            past, "customer_id", "ordered_at", "amount", observation_period_end=as_of
        )
    write_parquet(tmp_path / "orders.parquet")
    with Engine() as engine:
        tables = reading.read(engine, reading.Sources(str(tmp_path / "orders.parquet")), as_of).tables
        ours = engine.con.to_pyarrow(build.build(tables, as_of, PLAIN)).to_pandas().set_index("customer_id")
    ours = ours.loc[theirs.index]
    assert len(ours) == 23_570
    for our_name, their_name in {
        "n_repeat_orders": "frequency",
        "recency_days": "recency",
        "age_days": "T",
    }.items():
        assert (ours[our_name] == theirs[their_name]).all(), our_name
    assert ours["repeat_order_value"].fillna(0.0).to_numpy() == pytest.approx(
        theirs["monetary_value"].to_numpy(), abs=1e-9
    )


def test_tables_without_what_a_spec_needs_are_refused_with_one_line_per_column() -> None:
    text, when = "string", "timestamp"
    given = Tables(
        ibis.table({"customer_id": text, "amount": "decimal(18, 6)", "channel": text}, name="orders"),
        customers=ibis.table({"customer_id": text, "city": text, "age": text}, name="people"),
        interactions=ibis.table({"customer_id": text, "kind": text, "occurred_at": when}, name="contacts"),
    )
    spec = FeatureSpec(
        windows=(30,),
        columns=("category", "channel"),
        attributes=(Attribute("age", "number"), Attribute("city", "label", ("Rome",)), Attribute("plan", "label")),
        contact_kinds=("visit",),
        contact_columns=("score",),
    )
    with pytest.raises(errors.BundleRefused) as caught:
        schema.require(spec, given)
    said = str(caught.value).splitlines()
    assert said[0].startswith("BundleRefused: 4 of 7 columns:")
    assert [line.strip() for line in said[2:-1]] == [
        "- transactions.category",
        "! customers.age (of numbers at training, now string)",
        "- customers.plan",
        "- interactions.score",
    ]
    assert said[-1].startswith("Hint: ")


def test_tables_with_more_than_a_spec_needs_are_taken() -> None:
    wide = ibis.table({"customer_id": "string", "category": "string", "new_column": "string"}, name="orders")
    schema.require(PLAIN, Tables(wide, customers=ibis.table({"customer_id": "string", "x": "string"}, name="people")))
