"""CI's small rolling benchmark: CDNOW's ranking never falls below the closed form's beyond noise."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from benchmarks.rolling import kept, measure, tables
from benchmarks.rolling.cases import Case
from benchmarks.rolling.measure import Day
from benchmarks.rolling.rules import CLOSED_FORM
from tests import small_training
from tiercast.features.engines.duckdb import Engine
from tiercast.features.reading import Sources
from tiercast.training.settings import Horizons, Rolling, Settings
from tiercast.training.windows.snapshots import Snapshots

DAYS = (dt.date(1998, 1, 2), dt.date(1998, 4, 2))
SMALL = Rolling(most_windows=4, most_folds=1, threads=1)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    source = small_training.every_sixteenth_customer(tmp_path_factory.mktemp("cdnow") / "purchases.parquet")
    horizons = Horizons(churn_days=90, value_days=90)
    return Case("CDNOW", Sources(str(source)), dt.date(1998, 7, 1), horizons, DAYS, is_known=True)


@pytest.fixture(scope="module")
def days(case: Case, tmp_path_factory: pytest.TempPathFactory) -> list[Day]:
    return measure.measure([case], tmp_path_factory.mktemp("kept"), rolling=SMALL)


@pytest.mark.parametrize("name", ["AUC", "nGini"])
def test_the_ranking_is_not_below_the_closed_form_beyond_noise(days: list[Day], name: str) -> None:
    for day in days:
        found = next(each for each in day.comparisons if each.measure == name)
        assert found.gain.high >= 0 or found.rules[CLOSED_FORM] < found.ours, f"{day.as_of}: {found}"


def test_every_day_and_every_measure_has_a_row(days: list[Day]) -> None:
    page = "\n".join(tables.markdown(days, ["Complete Journey is left out."]))
    assert all(f"| CDNOW, 90 days, {day.as_of} | {day.n_customers:,} |" in page for day in days)
    assert [sum(tables.counts(days, name)[:2]) <= len(days) for name in tables.MEASURES] == [True] * 6
    assert "Complete Journey is left out." in page


def test_kept_snapshots_are_those_that_training_builds(case: Case, tmp_path: Path) -> None:
    settings = Settings(horizons=case.horizons)
    with Engine(threads=1) as engine:
        first = kept.history(engine, case, DAYS[0], settings, tmp_path)
        plain = Snapshots(engine, first.tables, (first.first_on, case.ends), first.spec, case.horizons)
        for _ in range(2):  # written, then read
            again = kept.history(engine, case, DAYS[0], settings, tmp_path)
            built, expected = again.until(DAYS[0]).at(DAYS[0]), plain.until(DAYS[0]).at(DAYS[0])
            assert built.churned is expected.churned is None
            assert built.features.equals(expected.features)
            assert built.closed_form == expected.closed_form
