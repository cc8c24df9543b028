"""Is this data enough? Counts beside a second way of counting, and verdicts at their marks."""

from __future__ import annotations

import datetime
import json
import pathlib
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

from tests import cdnow_table, make_tables
from tiercast.contract import errors
from tiercast.features import reading
from tiercast.features.engines.duckdb import Engine
from tiercast.training.check import gaps, readiness
from tiercast.training.check.readiness import Readiness

END = datetime.date(1998, 7, 1)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(threads=1) as engine:
        yield engine


@pytest.fixture(scope="module")
def cdnow_read(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> reading.Reading:
    source = cdnow_table.write_parquet(tmp_path_factory.mktemp("cdnow") / "cdnow.parquet")
    return reading.read(engine, reading.Sources(str(source)), END)


def measured(ready: Readiness, capability: str, name: str) -> float:
    (found,) = (row for row in getattr(ready, capability).requirements if row.name == name)
    return float(found.measured)


def checked(source: str, as_of: datetime.date, churn_days: int | None = 30, value_days: int = 60) -> Readiness:
    with Engine(threads=1) as engine:
        found = reading.read(engine, reading.Sources(source), as_of)
        return readiness.check(engine, found.tables, found.report, as_of, churn_days, value_days)


def visits(folder: pathlib.Path, n_customers: int, every_days: int, n_days: int) -> str:
    """Customers who order every so many days, from 2024-01-01 on."""
    days = [str(np.datetime64("2024-01-01") + day) for day in range(0, n_days, every_days)]
    ids = [f"c-{k}" for k in range(n_customers) for _ in days]
    amounts = [5.0] * len(ids)
    return make_tables.write(
        folder, pa.table({"customer_id": ids, "ordered_at": days * n_customers, "amount": amounts})
    )


def test_cdnow_is_ready_for_everything(engine: Engine, cdnow_read: reading.Reading) -> None:
    ready = readiness.check(engine, cdnow_read.tables, cdnow_read.report, END, 90, 180)
    assert [capability.verdict for capability in ready.capabilities()] == ["ready"] * 4
    assert json.loads(json.dumps(ready.as_dict()))["capabilities"]["churn"]["verdict"] == "ready"


def test_the_counts_on_cdnow_are_those_of_pandas(engine: Engine, cdnow_read: reading.Reading) -> None:
    ready = readiness.check(engine, cdnow_read.tables, cdnow_read.report, END, 90, 180)
    frame = cdnow_table.cdnow().to_pandas()
    days = frame.drop_duplicates(["customer_id", "ordered_at"])
    came_back = days.loc[days["ordered_at"] >= END - datetime.timedelta(days=90), "customer_id"].nunique()
    assert measured(ready, "churn", "kept") == came_back
    assert measured(ready, "churn", "churned") == 23_570 - came_back
    assert measured(ready, "value", "three_orders") == (days["customer_id"].value_counts() >= 3).sum()
    assert measured(ready, "churn", "history_days") == 546  # 1997-01-01 to 1998-07-01


def test_the_proposed_horizon_on_cdnow_covers_nine_gaps_in_ten(engine: Engine, cdnow_read: reading.Reading) -> None:
    days = cdnow_table.cdnow().to_pandas().drop_duplicates(["customer_id", "ordered_at"])
    stamps = days.sort_values(["customer_id", "ordered_at"])["ordered_at"].astype("datetime64[s]")
    pauses = stamps.groupby(days["customer_id"]).diff().dt.days.dropna()
    share = {horizon: float((pauses <= horizon).mean()) for horizon in gaps.HORIZONS}
    observed = gaps.observe(engine, cdnow_read.tables.transactions)
    assert observed.n == len(pauses)
    assert {h: n / observed.n for h, n in observed.within.items()} == pytest.approx(share)
    # 90 % of gaps are within 365 days only, and of 546 days of history two halves hold 180.
    assert share[180] < 0.9 < share[365]
    assert readiness.check(engine, cdnow_read.tables, cdnow_read.report, END, None, 180).proposed_churn_days == 180


def test_a_horizon_other_than_the_proposed_one_is_remarked_on(engine: Engine, cdnow_read: reading.Reading) -> None:
    ready = readiness.check(engine, cdnow_read.tables, cdnow_read.report, END, 90, 180)
    assert "the gaps between orders suggest a churn horizon of 180 days, not 90" in ready.lines()


def test_one_customer_cannot_be_ranked_and_training_on_them_is_refused(tmp_path: pathlib.Path) -> None:
    ready = checked(visits(tmp_path, n_customers=1, every_days=7, n_days=300), datetime.date(2024, 10, 27))
    assert [capability.verdict for capability in ready.capabilities()] == ["blocked"] * 4
    with pytest.raises(errors.NotEnoughData) as caught:
        readiness.demand(ready.churn)
    error = caught.value
    assert error.exit_code == 2
    assert error.first is not None
    assert error.first.startswith("1 buyers, 500 needed")
    assert error.hint


def test_a_capability_that_is_not_blocked_is_not_refused(tmp_path: pathlib.Path) -> None:
    ready = checked(visits(tmp_path, n_customers=120, every_days=7, n_days=300), datetime.date(2024, 10, 27))
    assert ready.rank.verdict == "ready"
    readiness.demand(ready.rank)
    assert ready.value.verdict == "degraded"  # 120 buyers, 500 needed
    readiness.demand(ready.value)


def test_churn_is_blocked_where_nobody_ever_left(tmp_path: pathlib.Path) -> None:
    ready = checked(visits(tmp_path, n_customers=120, every_days=7, n_days=300), datetime.date(2024, 10, 27))
    assert measured(ready, "churn", "churned") == 0
    assert (ready.churn.verdict, ready.tiers.verdict) == ("blocked", "blocked")


def test_weekly_customers_suggest_a_week(tmp_path: pathlib.Path) -> None:
    source = visits(tmp_path, n_customers=20, every_days=7, n_days=300)
    assert checked(source, datetime.date(2024, 10, 27), churn_days=None).proposed_churn_days == 7


def test_without_any_gap_no_horizon_is_proposed_and_churn_is_blocked(tmp_path: pathlib.Path) -> None:
    source = visits(tmp_path, n_customers=600, every_days=300, n_days=300)
    ready = checked(source, datetime.date(2024, 1, 2), churn_days=None)
    assert (ready.proposed_churn_days, ready.churn_days, ready.churn.verdict) == (None, None, "blocked")
    assert any("no churn horizon can be proposed" in note for note in ready.notes)


def test_a_season_is_seen_only_with_a_year_before_the_newest_window(tmp_path: pathlib.Path) -> None:
    note = "less than a full year is known before the newest window: yearly seasons cannot be seen"
    source = visits(tmp_path, n_customers=3, every_days=5, n_days=400)
    first = datetime.date(2024, 1, 1)
    assert note in checked(source, first + datetime.timedelta(days=394), churn_days=30).notes
    assert note not in checked(source, first + datetime.timedelta(days=395), churn_days=30).notes  # 365 + 30


def test_a_quarter_of_rows_without_a_customer_degrades(tmp_path: pathlib.Path) -> None:
    lines = "".join(f"{'' if k % 4 == 0 else k},2024-01-{k % 28 + 1:02},5\n" for k in range(800))
    source = make_tables.write_text(tmp_path, "customer_id,ordered_at,amount\n" + lines)
    ready = checked(source, datetime.date(2024, 1, 29), churn_days=7)
    assert measured(ready, "value", "missing_share") == 0.25
    assert "25.0% of rows without a usable id, date or amount, less than 20% needed" in ready.value.sentence


@pytest.mark.parametrize(("measure", "verdict"), [(500, "ready"), (499, "degraded"), (50, "degraded"), (49, "blocked")])
def test_marks_are_reached_exactly(measure: float, verdict: str) -> None:
    assert readiness.Requirement("buyers", measure, 500, 50).verdict == verdict


@pytest.mark.parametrize(("share", "verdict"), [(0.199, "ready"), (0.2, "degraded"), (0.5, "blocked")])
def test_missing_must_stay_below_its_marks(share: float, verdict: str) -> None:
    assert readiness.Requirement("missing_share", share, 0.2, 0.5).verdict == verdict
