from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks import simulate
from tests import make_tables, scored_tables
from tiercast.features import reading
from tiercast.features.engines.duckdb import Engine
from tiercast.features.reading import Reading
from tiercast.features.spec import FeatureSpec
from tiercast.features.tables import Tables
from tiercast.models import btyd
from tiercast.training.settings import Horizons
from tiercast.training.windows.snapshots import Snapshots

FIRST, LAST = dt.date(1997, 1, 1), dt.date(1998, 7, 1)
FIVE_YEARS = dt.date(2022, 1, 1), dt.date(2027, 1, 1)
SPEC, HORIZONS = FeatureSpec(windows=(90,)), Horizons(churn_days=60, value_days=120)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Reading]]:
    folder = tmp_path_factory.mktemp("purchases")
    with Engine(threads=1) as engine:
        yield (
            engine,
            reading.read(engine, reading.Sources(scored_tables.write(folder, scored_tables.purchases(40))), LAST),
        )


@pytest.fixture(scope="module")
def five_years(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Tables]]:
    """A seasonal shop of 400 customers."""
    path = tmp_path_factory.mktemp("five_years") / "orders.parquet"
    world = simulate.World(days=(FIVE_YEARS[1] - FIVE_YEARS[0]).days, seasonality=0.6)
    simulate.write_orders(simulate.simulate(world, 400, np.random.default_rng(1)), path)
    with Engine(threads=1) as engine:
        yield engine, reading.read(engine, reading.Sources(str(path)), FIVE_YEARS[1]).tables


@pytest.fixture
def snapshots(known: tuple[Engine, Reading]) -> Snapshots:
    return Snapshots(known[0], known[1].tables, (FIRST, LAST), SPEC, HORIZONS)


def test_labels_are_there_only_where_their_window_is_over(snapshots: Snapshots) -> None:
    both = snapshots.at(LAST - dt.timedelta(120))
    assert both.churned is not None
    assert both.value is not None
    churn_only = snapshots.at(LAST - dt.timedelta(119))
    assert churn_only.churned is not None
    assert churn_only.value is churn_only.n_future_orders is None
    assert snapshots.at(LAST - dt.timedelta(59)).churned is None


def test_an_earlier_day_opens_labels_again_and_keeps_what_was_known(snapshots: Snapshots) -> None:
    day = LAST - dt.timedelta(150)
    then = snapshots.at(day)
    assert then.value is not None
    as_known = snapshots.until(day + dt.timedelta(60)).at(day)
    assert as_known.churned is not None
    assert as_known.value is None
    assert as_known.features.equals(then.features)
    assert as_known.closed_form == then.closed_form
    assert snapshots.at(day).value is not None, "the original is left as it was"


def test_labels_agree_with_the_purchases_counted_by_hand(snapshots: Snapshots) -> None:
    day = dt.date(1997, 10, 1)
    then = snapshots.at(day)
    lines = scored_tables.purchases(40).to_pandas()
    days = lines["ordered_at"]
    ahead = lines[(days >= day) & (days < day + dt.timedelta(120))]
    soon = set(ahead[ahead["ordered_at"] < day + dt.timedelta(60)]["customer_id"])
    spent = ahead.groupby("customer_id")["amount"].sum()
    ids = then.customer_id.to_pylist()
    assert ids == sorted(set(lines[days < day]["customer_id"]))
    assert then.churned is not None
    assert then.value is not None
    assert then.churned.tolist() == [0.0 if one in soon else 1.0 for one in ids]
    assert then.value == pytest.approx([spent.get(one, 0.0) for one in ids])


def test_the_closed_form_of_a_snapshot_knows_nothing_later(known: tuple[Engine, Reading], snapshots: Snapshots) -> None:
    """The same day with every later purchase taken away."""
    day = dt.date(1997, 10, 1)
    tables = known[1].tables
    past = tables._replace(transactions=tables.transactions.filter(tables.transactions.ordered_on < day))
    alone = Snapshots(known[0], past, (FIRST, day), SPEC, HORIZONS).at(day)
    assert alone.closed_form == snapshots.at(day).closed_form
    assert alone.features.equals(snapshots.at(day).features)


@pytest.mark.parametrize("horizons", [(90, 365), (180, 400), (365, 730), (400, 180)])
def test_all_of_a_snapshot_but_its_labels_is_known_on_its_own_day(
    horizons: tuple[int, int], five_years: tuple[Engine, Tables]
) -> None:
    """Every later order is lost or made absurd. Also what the year before says of the season must not change."""
    engine, tables = five_years
    both = Horizons(churn_days=horizons[0], value_days=horizons[1])
    for day in (dt.date(2024, 3, 1), dt.date(2025, 1, 1)):
        lines = tables.transactions
        is_past = lines.ordered_on < day
        absurd = lines.mutate(money=is_past.ifelse(lines.money, lines.money * 100))
        lied = tables._replace(transactions=absurd.filter(is_past | (lines.customer_id > "c-000000150")))
        true, other = (
            Snapshots(engine, given, (FIVE_YEARS[0], FIVE_YEARS[1]), SPEC, both).at(day) for given in (tables, lied)
        )
        assert true.features.equals(other.features)
        assert true.customer_id == other.customer_id
        fitted = [(one.closed_form, one.last_year, one.season_shift) for one in (true, other)]
        assert fitted[0] == fitted[1]
        assert not np.array_equal(np.asarray(true.value), np.asarray(other.value)), "the lie was there"


def test_last_year_is_unknown_where_its_window_had_not_closed_by_then(five_years: tuple[Engine, Tables]) -> None:
    """400 days from a year before reach past the day itself, 180 do not."""
    engine, tables = five_years
    found = Snapshots(engine, tables, FIVE_YEARS, SPEC, Horizons(churn_days=180, value_days=400))
    then = found.at(dt.date(2025, 1, 1))
    assert then.value is not None, "by the end of the data, even its own window had closed"
    assert then.last_year is None
    assert then.season_shift is not None


def test_last_year_is_what_a_customer_known_then_brought_in_the_same_window(snapshots: Snapshots) -> None:
    now = snapshots.at(LAST)
    then = snapshots.at(LAST - dt.timedelta(365))
    lines = scored_tables.purchases(40).to_pandas()
    days, begins = lines["ordered_at"], LAST - dt.timedelta(365)
    known = set(lines[days < begins]["customer_id"])
    ahead = lines[(days >= begins) & (days < begins + dt.timedelta(120)) & lines["customer_id"].isin(known)]
    assert now.last_year is not None
    assert now.last_year.per_customer == pytest.approx(ahead["amount"].sum() / len(known))
    assert then.last_year is None, "nothing is known of a year before that"


def test_a_stray_order_of_years_ago_makes_no_window(tmp_path: Path) -> None:
    """One customer alone cannot be fitted; that must not cost all others their model."""
    lines = {"customer_id": ["stray"], "ordered_at": ["1995-01-01"], "amount": [1.0]}
    folder = tmp_path / "both"
    folder.mkdir()
    make_tables.write(folder, lines, "stray.csv")
    rest = scored_tables.purchases(40).select(["customer_id", "ordered_at", "amount"])
    make_tables.write(folder, rest, "rest.csv")
    with Engine(threads=1) as engine:
        read = reading.read(engine, reading.Sources(str(folder / "*.csv")), LAST)
        found = Snapshots(engine, read.tables, (read.report.first_on, LAST), SPEC, HORIZONS)
        days = [dt.date(1995, 6, 1), dt.date(1997, 10, 1)]
        assert [one.as_of for one in found.all_at(days)] == days[1:]
        assert [one.as_of for one in found.until(LAST).all_at(days)] == days[1:]
        assert found.at(dt.date(1996, 6, 1) + dt.timedelta(487)).last_year is None


def test_frames_are_float_columns_with_the_closed_forms_beside_the_features(snapshots: Snapshots) -> None:
    frame = snapshots.at(LAST).frame
    assert set(frame) == {*SPEC.names, *btyd.NAMES}
    assert all(column.dtype == np.float64 for column in frame.values())
