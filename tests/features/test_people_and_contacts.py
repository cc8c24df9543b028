from __future__ import annotations

import datetime as dt
import pathlib
from typing import Any

import pytest

from tests import built_features, make_tables
from tests.built_features import AS_OF, orders
from tiercast.features.engines.duckdb import Engine
from tiercast.features.reading import Sources, read
from tiercast.features.spec import Attribute, FeatureSpec
from tiercast.training.windows import spec_choice

ORDERS = orders(("ann", "2024-02-01", 10.0), ("bob", "2024-02-20", 5.0))
PEOPLE: dict[str, Any] = {
    "customer_id": ["ann", "bob", "new", "late", "undated"],
    "joined_on": ["2024-01-01", "2023-03-02", "2024-02-29", "2024-03-01", None],
    "city": ["Köln", "Oslo", "上海", "Rome", None],
    "age": [41.0, None, 30.0, 20.0, 50.0],
}
CONTACTS: dict[str, Any] = {
    "customer_id": ["ann", "ann", "ann", "bob", "new", "ann"],
    "occurred_at": ["2023-12-01", "2023-12-02", "2024-02-20", "2024-02-29", "2024-02-01", "2024-03-01"],
    "kind": ["visit", "visit", "complaint", "visit", "survey", "complaint"],
    "score": [1.0, 4.0, None, 2.0, 9.0, 5.0],
    "minutes": [10.5, 20.0, 3.0, None, 1.0, 99.0],
}


def test_prospects_are_there_with_no_orders_and_no_order_features(tmp_path: pathlib.Path) -> None:
    spec = FeatureSpec(windows=(30,), has_joined_on=True)
    rows = built_features.rows(tmp_path, ORDERS, spec, customers=PEOPLE)
    assert set(rows) == {"ann", "bob", "new", "undated"}  # late joins on the as-of day: not known yet
    new = rows["new"]
    assert (new["n_orders"], new["tenure_days"]) == (0, 1)
    known = {name for name, value in new.items() if value is not None}
    assert known == {"customer_id", "tenure_days", "n_orders", "n_refunds", "n_orders_30d"}
    assert (rows["ann"]["tenure_days"], rows["bob"]["tenure_days"]) == (60, 365)
    assert rows["undated"]["tenure_days"] is None


def test_a_buyer_who_is_not_among_the_customers_is_kept(tmp_path: pathlib.Path) -> None:
    people = {"customer_id": ["new"], "joined_on": ["2024-01-01"]}
    rows = built_features.rows(tmp_path, ORDERS, FeatureSpec(windows=(30,), has_joined_on=True), customers=people)
    assert set(rows) == {"ann", "bob", "new"}
    assert rows["ann"]["tenure_days"] is None


def test_labels_become_their_place_and_unseen_ones_are_unknown(tmp_path: pathlib.Path) -> None:
    attributes = (Attribute("age", "number"), Attribute("city", "label", ("Köln", "上海")))
    rows = built_features.rows(tmp_path, ORDERS, FeatureSpec(windows=(30,), attributes=attributes), customers=PEOPLE)
    assert (rows["ann"]["attr_city"], rows["new"]["attr_city"]) == (0, 1)
    assert (rows["bob"]["attr_city"], rows["undated"]["attr_city"]) == (None, None)
    assert (rows["ann"]["attr_age"], rows["bob"]["attr_age"]) == (41, None)


def test_labels_that_all_happen_to_be_numbers_today_keep_their_place(tmp_path: pathlib.Path) -> None:
    """At training the column held "7" and "x", so "7" is a label; a file with "7" alone is read as numbers."""
    spec = FeatureSpec(windows=(30,), attributes=(Attribute("group", "label", ("7", "x")),))
    rows = built_features.rows(tmp_path, ORDERS, spec, customers={"customer_id": ["ann"], "group": ["7"]})
    assert rows["ann"]["attr_group"] == 0


def test_contacts_are_counted_before_as_of_only(tmp_path: pathlib.Path) -> None:
    kinds = ("visit", "complaint")
    spec = FeatureSpec(windows=(30,), contact_kinds=kinds, contact_columns=("score", "minutes"))
    rows = built_features.rows(tmp_path, ORDERS, spec, customers=PEOPLE, interactions=CONTACTS)
    ann = {name: value for name, value in rows["ann"].items() if "visit" in name or "complaint" in name}
    assert ann == {
        "n_visit": 2,
        "n_visit_90d": 1,  # 90 days before 2024-03-01 is 2023-12-02: that day is the first inside
        "visit_last_days": 90,
        "visit_score_mean": 2.5,
        "visit_minutes": 30.5,
        "n_complaint": 1,  # the one on the as-of day is not known
        "n_complaint_90d": 1,
        "complaint_last_days": 10,
        "complaint_score_mean": None,
        "complaint_minutes": 3,
    }
    assert (rows["bob"]["visit_minutes"], rows["bob"]["n_complaint"], rows["bob"]["complaint_last_days"]) == (
        0,
        0,
        None,
    )
    assert (rows["undated"]["n_visit"], rows["undated"]["visit_last_days"]) == (0, None)


def test_a_contact_alone_makes_nobody_a_customer(tmp_path: pathlib.Path) -> None:
    spec = FeatureSpec(windows=(30,), contact_kinds=("survey",))
    assert set(built_features.rows(tmp_path, ORDERS, spec, interactions=CONTACTS)) == {"ann", "bob"}


def choose(folder: pathlib.Path, **others: dict[str, Any]) -> FeatureSpec:
    places: dict[str, Any] = {
        name: make_tables.write(folder, table, f"{name}.parquet") for name, table in others.items()
    }
    with Engine(threads=1) as engine:
        tables = read(engine, Sources(make_tables.write(folder, ORDERS), **places), AS_OF).tables
        span = (dt.date(2023, 10, 1), AS_OF)
        return spec_choice.choose(engine, tables, span, (30, 90, 365), 60)


def test_a_spec_holds_what_the_tables_support_and_nothing_else(tmp_path: pathlib.Path) -> None:
    spec = choose(tmp_path, customers=PEOPLE, interactions=CONTACTS)
    assert spec.windows == (30, 90)  # 152 days of history hold no year
    assert spec.season_days is None
    assert spec.attributes == (Attribute("age", "number"), Attribute("city", "label", ("Köln", "Oslo", "上海")))
    assert spec.contact_kinds == ("visit", "complaint", "survey")
    assert spec.contact_columns == ("score", "minutes")
    assert choose(tmp_path) == FeatureSpec(windows=(30, 90))


@pytest.mark.parametrize("name", ["n", "value", "customers", "count", "size: cm, {x}", "n_orders", "plan name"])
def test_attributes_may_have_any_name(tmp_path: pathlib.Path, name: str) -> None:
    people = {"customer_id": ["ann", "bob"], name: ["x", "y"]}
    spec = choose(tmp_path, customers=people)
    assert spec.attributes == (Attribute(name, "label", ("x", "y")),)
    rows = built_features.rows(tmp_path, ORDERS, spec, customers=people)
    assert (rows["ann"][f"attr_{name}"], rows["bob"][f"attr_{name}"]) == (0, 1)
