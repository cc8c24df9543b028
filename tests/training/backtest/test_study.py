from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import compute, parquet

from tests import small_backtest
from tests.small_backtest import DATES, REQUESTED
from tiercast.contract import errors
from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.features.reading import Sources
from tiercast.models.bundle import Bundle
from tiercast.training import train
from tiercast.training.backtest import folder, over_time, plan, study
from tiercast.training.backtest.plan import DateRange
from tiercast.training.backtest.study import Backtest
from tiercast.training.judge.holdout import CLOSED_FORM, MODEL


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with orders.parquet, and after `done` with backtest/."""
    found = tmp_path_factory.mktemp("study")
    small_backtest.write(found)
    return found


@pytest.fixture(scope="module")
def done(place: Path) -> Backtest:
    return small_backtest.run(place, place / "orders.parquet")


def files(place: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((place / "backtest").iterdir())}


# --- what it says


@pytest.mark.parametrize("model", ["bgnbd", "mbgnbd"])
def test_a_date_says_what_the_holdout_of_a_training_says_of_that_day(place: Path, tmp_path: Path, model: str) -> None:
    """An independent way to the same numbers: `train` as of the day the window closed judges on the date itself."""
    source, more = place / "orders.parquet", f'[clv]\nmodel = "{model}"\n'
    with DuckDBEngine(threads=1) as engine:
        known = reading.read(engine, Sources(str(source)), DATES[0] + dt.timedelta(60))
        trained = train.train(engine, known, small_backtest.chosen(tmp_path, more))
    one = small_backtest.run(tmp_path, source, DateRange(DATES[0], DATES[0], REQUESTED.every), more=more)
    assert one.days[0].card["churn"] == trained.bundle.scorecard["churn"]


def test_the_scores_are_what_the_numbers_were_measured_on(place: Path, done: Backtest) -> None:
    table = parquet.read_table(place / "backtest" / f"{DATES[1]}.parquet").to_pandas()
    card = done.days[1].card
    brier = ((table["p_churn"] - table["churned"].astype(float)) ** 2).mean()
    topped = table[table["value_high"] > 0]
    assert card["churn"]["models"][MODEL]["brier"]["value"] == pytest.approx(brier)
    assert card["value"]["intervals"]["overall"]["above"] == pytest.approx(
        (topped["actual_value"] > topped["value_high"]).mean()
    )
    bias = table["value"].sum() / table["actual_value"].sum() - 1
    assert card["value"]["models"][MODEL]["bias"]["value"] == pytest.approx(bias)


def test_what_happened_is_counted_from_the_purchases(place: Path, done: Backtest) -> None:
    lines = small_backtest.purchases().to_pandas()
    table = parquet.read_table(place / "backtest" / f"{DATES[1]}.parquet").to_pandas().set_index("customer_id")
    ahead = lines[(lines["ordered_at"] >= DATES[1]) & (lines["ordered_at"] < DATES[1] + dt.timedelta(90))]
    soon = set(ahead[ahead["ordered_at"] < DATES[1] + dt.timedelta(60)]["customer_id"])
    spent = ahead.groupby("customer_id")["amount"].sum().reindex(table.index).fillna(0.0)
    assert set(table.index) == set(lines[lines["ordered_at"] < DATES[1]]["customer_id"])
    assert np.allclose(table["actual_value"], spent)
    assert table["churned"].tolist() == [one not in soon for one in table.index]


def test_every_tier_is_told_beside_what_came_and_adds_up_to_all(place: Path, done: Backtest) -> None:
    tables = [parquet.read_table(place / "backtest" / f"{day}.parquet").to_pandas() for day in DATES]
    *tiers, everybody = done.tiers
    assert everybody.tier == "all"
    assert everybody.customers == sum(len(table) for table in tables) == sum(row.customers for row in tiers)
    assert sum(row.actual_share for row in tiers) == pytest.approx(1.0)
    row = tiers[0]
    mine = [table[table["tier"] == row.tier] for table in tables]
    assert row.actual_value == pytest.approx(np.concatenate([each["actual_value"] for each in mine]).mean())
    assert row.churned == pytest.approx(np.concatenate([each["churned"] for each in mine]).mean())


def test_all_dates_together_count_how_often_the_closed_form_was_beaten(done: Backtest) -> None:
    row = next(row for row in done.overall if row.metric == "churn_auc")
    cards = [each.card["churn"]["models"] for each in done.days]
    ours, theirs = ([card[model]["auc"]["value"] for card in cards] for model in (MODEL, CLOSED_FORM))
    assert (row.mean, row.lowest, row.highest) == pytest.approx((np.mean(ours), min(ours), max(ours)))
    assert row.better_on == sum(a > b for a, b in zip(ours, theirs, strict=True))
    assert len(over_time.series(done.days, "value_above")) == row.dates == 3


# --- point in time


def test_rows_after_the_last_window_change_nothing_and_finished_dates_stand(
    place: Path, done: Backtest, tmp_path: Path
) -> None:
    """Everything on or after the end of the last window is replaced; a second run takes all dates from the folder."""
    last = DATES[-1] + dt.timedelta(90)
    table = small_backtest.purchases()
    past = table.filter(compute.less(table["ordered_at"], last))
    days = pa.array([last + dt.timedelta(3)] * 500, table.schema.field("ordered_at").type)
    late = past.slice(0, 500).set_column(1, "ordered_at", days)
    source = small_backtest.write(tmp_path, pa.concat_tables([past, late]))
    again = small_backtest.run(tmp_path, source)
    assert again.as_dict() == done.as_dict()
    before = files(place)
    kept = small_backtest.run(place, source)
    assert kept.n_kept == 3
    assert files(place) == before


def test_a_date_alone_says_what_it_says_among_others(place: Path, done: Backtest) -> None:
    """Snapshots that several dates share carry nothing from one to the other."""
    alone = small_backtest.run(
        place, place / "orders.parquet", DateRange(DATES[0], DATES[0], REQUESTED.every), name="alone"
    )
    assert json.dumps(alone.as_dict()["dates"][0]) == json.dumps(done.as_dict()["dates"][0])


# --- what is finished, and what is not


def test_a_finished_date_is_taken_from_the_folder_and_a_damaged_one_is_done_again(place: Path, done: Backtest) -> None:
    before = files(place)
    (place / "backtest" / f"{DATES[1]}.parquet").write_bytes(b"cut off")
    again = small_backtest.run(place, place / "orders.parquet")
    assert again.n_kept == 2
    assert again.as_dict() == done.as_dict()
    assert files(place) == before


def test_other_settings_on_the_same_folder_are_refused_by_name(place: Path, done: Backtest) -> None:
    with pytest.raises(errors.BadInput, match=r"settings\.grid\.value_top_share was 0\.2, is 0\.3(.|\n)*--out"):
        small_backtest.run(place, place / "orders.parquet", more="[grid]\nvalue_top_share = 0.3\n")


def test_other_data_on_the_same_folder_are_refused(place: Path, done: Backtest, tmp_path: Path) -> None:
    table = small_backtest.purchases()
    source = small_backtest.write(tmp_path, table.slice(1))
    with pytest.raises(errors.BadInput, match=r"data was [0-9a-f]{16}, is [0-9a-f]{16}"):
        small_backtest.run(place, source)


def test_a_window_that_has_closed_since_is_judged_after_all(place: Path, done: Backtest, tmp_path: Path) -> None:
    """Until 30 May the value window of the last date was open; the churn window had closed."""
    table = small_backtest.purchases()
    early = table.filter(compute.less(table["ordered_at"], dt.date(1998, 5, 31)))
    requested = DateRange(DATES[-1], DATES[-1], REQUESTED.every)
    first = small_backtest.run(tmp_path, small_backtest.write(tmp_path, early), requested)
    assert "value" not in first.days[0].card
    assert first.days[0].card["notes"] == ["Value was not judged: its window had not closed."]
    then = small_backtest.run(tmp_path, small_backtest.write(tmp_path), requested)
    assert (then.n_kept, then.days[0].card["value"]["days"]) == (0, 90)
    assert then.days[0].card["churn"] == first.days[0].card["churn"]


def test_a_file_that_is_no_date_of_ours_is_left_alone(place: Path, tmp_path: Path) -> None:
    (tmp_path / "backtest").mkdir()
    foreign = tmp_path / "backtest" / f"{DATES[0]}.json"
    foreign.write_text('{"mine": 1}', encoding="ascii")
    with pytest.raises(errors.CannotWrite, match=str(DATES[0])):
        small_backtest.run(tmp_path, place / "orders.parquet")
    assert foreign.read_text(encoding="ascii") == '{"mine": 1}'


def test_a_result_without_a_number_is_null_on_disk_and_nan_again_when_read(place: Path, done: Backtest) -> None:
    text = (place / "backtest" / f"{DATES[0]}.json").read_text(encoding="utf-8")
    card = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))["card"]
    assert card["value"]["models"]["zero"]["spearman"]["value"] is None
    assert np.isnan(done.days[0].card["value"]["models"]["zero"]["spearman"]["value"])


# --- too little, and too early


def test_a_date_with_too_little_behind_it_is_told_and_does_not_stop_the_others(place: Path) -> None:
    requested = DateRange(dt.date(1997, 3, 15), dt.date(1997, 7, 13), REQUESTED.every)
    found = small_backtest.run(place, place / "orders.parquet", requested, name="early")
    assert [each.not_judged is None for each in found.days] == [False, True]
    assert "too short for a label window of 60 days" in str(found.days[0].not_judged)
    again = small_backtest.run(place, place / "orders.parquet", requested, name="early")
    assert again.n_kept == 2
    assert again.as_dict() == found.as_dict()


def test_dates_that_all_have_too_little_behind_them_are_refused(place: Path) -> None:
    requested = DateRange(dt.date(1997, 1, 20), dt.date(1997, 3, 1), plan.every("10d"))
    with pytest.raises(errors.NotEnoughData, match=r"5 of 5 dates(.|\n)*--from 1997-04-01 or later"):
        small_backtest.run(place, place / "orders.parquet", requested, name="none")


# --- a bundle that is given


@pytest.fixture(scope="module")
def bundle(place: Path) -> Bundle:
    """Trained as of the first date."""
    with DuckDBEngine(threads=1) as engine:
        known = reading.read(engine, Sources(str(place / "orders.parquet")), DATES[0])
        return train.train(engine, known, small_backtest.chosen(place)).bundle


def replay(place: Path, bundle: Bundle, requested: DateRange = REQUESTED) -> Backtest:
    with DuckDBEngine(threads=1) as engine:
        source, chosen = Sources(str(place / "orders.parquet")), small_backtest.chosen(place)
        return study.run(engine, source, None, requested, chosen, place / "bundled", bundle=bundle)


def test_a_bundle_is_judged_on_each_date_with_its_own_cuts(place: Path, bundle: Bundle, done: Backtest) -> None:
    found = replay(place, bundle)
    assert [each.cuts for each in found.days] == [bundle.cuts._asdict()] * 3
    assert found.model == f"bundle {bundle.about.model}"
    assert found.days[2].card["churn"]["models"][MODEL] != done.days[2].card["churn"]["models"][MODEL]
    assert found.days[2].card["churn"]["models"]["base_rate"] == done.days[2].card["churn"]["models"]["base_rate"]
    assert replay(place, bundle).n_kept == 3


def test_another_bundle_on_the_same_folder_is_refused(place: Path, bundle: Bundle) -> None:
    replay(place, bundle)
    other = bundle._replace(line={})
    with pytest.raises(errors.BadInput, match=r"bundle was [0-9a-f]{16}, is [0-9a-f]{16}"):
        replay(place, other)


def test_a_bundle_refuses_days_before_its_own(place: Path, bundle: Bundle) -> None:
    requested = DateRange(DATES[0] - dt.timedelta(30), DATES[0], plan.every("30d"))
    with pytest.raises(errors.BundleRefused, match=r"1 of 2 dates(.|\n)*First: 1997-07-02(.|\n)*--from 1997-08-01"):
        replay(place, bundle, requested)


def test_the_folder_holds_only_whole_files(place: Path, done: Backtest) -> None:
    wanted = {f"{day}{end}" for day in DATES for end in (".json", ".parquet")} | {study.SUMMARY}
    assert set(files(place)) == wanted
    assert json.loads(files(place)[study.SUMMARY])["dates"][0]["as_of"] == str(DATES[0])
    assert folder.get_json(place / "backtest" / "nothing.json") == {}
