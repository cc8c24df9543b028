"""What happens on the as-of day or later changes nothing that is said of that day."""

from __future__ import annotations

import datetime as dt
import pathlib
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import make_tables, scored_tables
from tiercast.features import build, reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.features.spec import Attribute, FeatureSpec
from tiercast.training.train import Trained

AS_OF = dt.date(1998, 4, 1)
SPEC = FeatureSpec(
    windows=(30, 60),
    season_days=90,
    columns=("quantity",),
    attributes=(Attribute("city", "label", ("Rome", "Oslo")),),
    has_joined_on=True,
    contact_kinds=("visit", "complaint"),
    contact_columns=("score",),
)
TABLE = scored_tables.purchases(300)
PAST, FUTURE = (
    TABLE.filter(pa.array([(day < AS_OF) == is_past for day in TABLE["ordered_at"].to_pylist()]))
    for is_past in (True, False)
)
IDS = sorted(set(TABLE["customer_id"].to_pylist()))
PEOPLE = {
    "customer_id": [*IDS, "prospect"],
    "joined_on": [dt.date(1996, 12, 1)] * (len(IDS) + 1),
    "city": ["Rome" if int(one) % 2 else "Oslo" for one in IDS] + ["Rome"],
}
CONTACTS: dict[str, list[Any]] = {
    "customer_id": IDS,
    "occurred_at": [dt.datetime(1998, 3, 31, 23, 59, 59)] * len(IDS),  # noqa: DTZ001  read as UTC
    "kind": ["visit", "complaint"] * (len(IDS) // 2) + ["visit"] * (len(IDS) % 2),
    "score": [float(k % 5) for k in range(len(IDS))],
}

someone = st.sampled_from([*IDS[:5], "prospect", "nobody-yet", "", " "])
later = st.integers(0, 4000).map(lambda days: AS_OF + dt.timedelta(days))
money = st.sampled_from([0.0, -5.0, 1e10, 7.77, float("nan"), float("inf"), 1e300])
purchases = st.lists(st.tuples(someone, later, st.sampled_from([None, 0.0, -1.0, 9e9]), money), max_size=12)
contacts = st.lists(st.tuples(someone, later, st.sampled_from(["visit", "complaint", "rumour"])), max_size=6)
joiners = st.lists(
    st.tuples(st.sampled_from(["late-1", "late-2", "late-3"]), later), max_size=3, unique_by=lambda j: j[0]
)


def write(folder: pathlib.Path, table: pa.Table) -> reading.Sources:
    people, met = (
        make_tables.write(folder, PEOPLE, "people.parquet"),
        make_tables.write(folder, CONTACTS, "met.parquet"),
    )
    return reading.Sources(scored_tables.write(folder, table), people, met)


def with_more(folder: pathlib.Path, bought: list[Any], met: list[Any], joined: list[Any], kept: int) -> reading.Sources:
    """The past, some of the real future, and anything else on or after the day, in front and behind."""
    names = ("customer_id", "ordered_at", "quantity", "amount")
    made = pa.table({name: [row[k] for row in bought] for k, name in enumerate(names)}, schema=_floating(TABLE.schema))
    past, real = PAST.cast(made.schema), FUTURE.slice(0, kept).cast(made.schema)
    people = {name: list(column) for name, column in PEOPLE.items()}
    for one, day in joined:
        for name, value in zip(people, (one, day, "Oslo"), strict=True):
            people[name].append(value)
    contacts = {name: list(column) for name, column in CONTACTS.items()}
    for one, day, kind in met:
        moment = dt.datetime.combine(day, dt.time())
        for name, value in zip(contacts, (one, moment, kind, 99.0), strict=True):
            contacts[name].append(value)
    return reading.Sources(
        scored_tables.write(folder, pa.concat_tables([made, past, real])),
        make_tables.write(folder, people, "people.parquet"),
        make_tables.write(folder, contacts, "met.parquet"),
    )


def _floating(schema: pa.Schema) -> pa.Schema:
    """Quantities as numbers that may be missing, in the columns' order of the made rows."""
    kinds = {field.name: field.type for field in schema} | {"quantity": pa.float64()}
    return pa.schema([(name, kinds[name]) for name in ("customer_id", "ordered_at", "quantity", "amount")])


def features(sources: reading.Sources) -> bytes:
    with DuckDBEngine(threads=1) as engine:
        tables = reading.read(engine, sources, AS_OF).tables
        found = engine.con.to_pyarrow(build.build(tables, AS_OF, SPEC).order_by("customer_id"))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, found.schema) as stream:
        stream.write_table(found.combine_chunks())
    return bytes(sink.getvalue().to_pybytes())


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return features(write(tmp_path_factory.mktemp("past"), PAST))


@pytest.mark.slow
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(purchases, contacts, joiners, st.integers(0, FUTURE.num_rows))
def test_adding_tomorrows_orders_changes_no_feature_today(
    today: bytes, bought: list[Any], met: list[Any], joined: list[Any], kept: int
) -> None:
    with make_tables.folder() as folder:
        assert features(with_more(folder, bought, met, joined, kept)) == today


@pytest.fixture(scope="module")
def todays_scores(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("past")
    return score(trained, write(folder, PAST), folder)


def score(trained: Trained, sources: reading.Sources, folder: pathlib.Path) -> bytes:
    out = folder / "out" / "scores.parquet"
    of_that_day = trained.bundle._replace(about=trained.bundle.about._replace(as_of=AS_OF))  # a later one is refused
    scored_tables.score(of_that_day, sources.transactions, out, as_of=AS_OF, customers=sources.customers)
    return out.read_bytes()


@pytest.mark.slow
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(purchases, joiners, st.integers(0, FUTURE.num_rows))
def test_adding_tomorrows_orders_changes_no_byte_of_todays_scores(
    trained: Trained, todays_scores: bytes, bought: list[Any], joined: list[Any], kept: int
) -> None:
    with make_tables.folder() as folder:
        assert score(trained, with_more(folder, bought, [], joined, kept), folder) == todays_scores


def test_one_order_of_yesterday_does_change_them(trained: Trained, todays_scores: bytes) -> None:
    """The comparison above can fail."""
    with make_tables.folder() as folder:
        assert score(trained, write(folder, PAST.slice(1)), folder) != todays_scores
