from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tiercast.contract.vectors import Vector
from tiercast.models import reference
from tiercast.models.reference import Counted
from tiercast.training.fit.references import P_CHURN, VALUE
from tiercast.training.monitoring import drift


def counts(*cells: int, missing: int = 0) -> Counted:
    return Counted(np.array(cells), missing)


def level_of(then: Vector, now: Vector, name: str = "spend_total", elapsed: int = 0) -> drift.Drift:
    references = {name: reference.from_column(then)}
    (row,) = drift.measure(references, drift.counted(references, {name: now}, elapsed), (name,))
    return row


def test_the_index_is_the_hand_computed_one() -> None:
    # shares 0.5, 0.3, 0.2 then and 0.4, 0.3, 0.3 now
    by_hand = (0.4 - 0.5) * math.log(0.4 / 0.5) + 0 + (0.3 - 0.2) * math.log(0.3 / 0.2)
    assert drift.psi(counts(50, 30, 20), counts(400, 300, 300)) == pytest.approx(by_hand)


def test_those_without_the_number_are_a_bin_too() -> None:
    by_hand = (0.5 - 0.9) * math.log(0.5 / 0.9) + (0.5 - 0.1) * math.log(0.5 / 0.1)
    assert drift.psi(counts(90, missing=10), counts(50, missing=50)) == pytest.approx(by_hand)


def test_an_empty_bin_counts_as_half_a_customer() -> None:
    by_hand = (1.0 - 0.8) * math.log(1.0 / 0.8) + (0.005 - 0.2) * math.log(0.005 / 0.2)
    assert drift.psi(counts(80, 20), counts(100, 0)) == pytest.approx(by_hand)


def test_the_index_is_0_on_the_same_customers_and_does_not_ask_which_day_came_first() -> None:
    assert drift.psi(counts(5, 7, 9, missing=2), counts(5, 7, 9, missing=2)) == 0
    one, other = counts(5, 17, 9), counts(50, 70, 91)
    assert drift.psi(one, other) == pytest.approx(drift.psi(other, one))


def test_chance_exceeds_its_bound_about_once_in_a_hundred_draws() -> None:
    rng, n, m, draws = np.random.default_rng(6), 4000, 2500, 2000
    over = 0
    for _ in range(draws):
        then = reference.from_column(rng.normal(size=n))
        before, now = Counted(np.array(then.counts), 0), reference.count(then, rng.normal(size=m))
        over += drift.psi(before, now) > drift.limit(before, now)
    assert over <= stats.binom.ppf(0.999, draws, drift.CHANCE), f"{over / draws:.2%} false alarms"
    assert over >= stats.binom.ppf(0.001, draws, drift.CHANCE), "the bound is not needlessly wide either"


def test_chance_is_held_for_numbers_with_mass_points_too() -> None:
    rng, draws = np.random.default_rng(7), 1000
    over = 0
    for _ in range(draws):
        then = reference.from_column(rng.poisson(1.2, 3000).astype(np.float64))
        before, now = (
            Counted(np.array(then.counts), 0),
            reference.count(then, rng.poisson(1.2, 3000).astype(np.float64)),
        )
        over += drift.psi(before, now) > drift.limit(before, now)
    assert over <= stats.binom.ppf(0.999, draws, drift.CHANCE), f"{over / draws:.2%} false alarms"


def test_a_shift_by_half_a_deviation_is_an_alarm_and_by_nothing_is_quiet() -> None:
    rng = np.random.default_rng(8)
    then, now = rng.normal(size=3000), rng.normal(size=3000)
    assert level_of(then, now).level == "quiet"
    shifted = level_of(then, now + 0.5)
    # the index of two normals a distance d apart is d squared, before binning takes a little of it away
    assert shifted.psi == pytest.approx(0.25, abs=0.04)
    assert shifted.level == "alarm"
    assert level_of(then, now + 0.36).level == "notice", "0.13"


def test_a_small_shift_of_very_many_is_beyond_chance_and_yet_no_alarm() -> None:
    rng = np.random.default_rng(9)
    row = level_of(rng.normal(size=200_000), rng.normal(size=200_000) + 0.05)
    assert row.psi is not None
    assert row.psi > row.limit
    assert row.level == "quiet"


def test_a_large_index_of_very_few_is_chance() -> None:
    rng = np.random.default_rng(10)
    row = level_of(rng.normal(size=5000), rng.normal(size=30))
    assert row.psi is not None
    assert row.psi > drift.ALARM
    assert row.level == "quiet"


def test_a_number_that_is_suddenly_missing_is_an_alarm() -> None:
    then = np.random.default_rng(11).normal(size=2000)
    now = np.where(np.arange(2000) % 3 == 0, np.nan, then)
    row = level_of(then, now)
    assert (row.missing_then, row.level) == (0.0, "alarm")
    assert row.missing_now == pytest.approx(1 / 3, abs=0.001)


def test_a_base_that_only_grew_older_has_not_drifted_in_age() -> None:
    age = np.random.default_rng(12).integers(1, 400, 3000).astype(np.float64)
    newcomers = np.arange(1.0, 61.0)
    grown = np.concatenate([age + 60, newcomers])
    assert level_of(age, grown, "age_days", elapsed=60).psi == 0
    assert level_of(age, grown, "spend_total", elapsed=60).level == "alarm", "any other number would have"


def test_a_history_that_was_cut_off_shows_in_the_ages() -> None:
    age = np.random.default_rng(13).integers(1, 1000, 3000).astype(np.float64)
    cut = np.minimum(age + 30, 365.0)
    assert level_of(age, cut, "age_days", elapsed=30).level == "alarm"


def test_a_clock_is_shown_and_not_judged() -> None:
    then = np.random.default_rng(14).exponential(60, 3000)
    for name in ("silence_days", "silence_over_gap", "visit_last_days"):
        row = level_of(then, then + 60, name)
        assert row.psi is not None
        assert row.psi > drift.ALARM
        assert row.level == "quiet"
        assert row.is_clock
    assert level_of(then, then + 60, "gap_last_days").level == "alarm", "a gap that is over does not grow"


def rows(**columns: tuple[Vector, Vector]) -> list[drift.Drift]:
    references = {name: reference.from_column(then) for name, (then, _) in columns.items()}
    now = drift.counted(references, {name: now for name, (_, now) in columns.items()}, 0)
    return drift.measure(references, now, (*columns, *(name for name in (P_CHURN, VALUE) if name not in columns)))


def test_the_three_checks_name_what_drifted_most() -> None:
    rng = np.random.default_rng(15)
    p, x = rng.random(3000), rng.normal(size=3000)
    found = drift.judge(rows(n_orders=(x, x), spend_total=(x, x + 1), p_churn=(p, p), value=(p, p**3)))
    assert [(check.code, check.level) for check in found] == [("W1", "alarm"), ("W2", "quiet"), ("W3", "alarm")]
    assert "1 of 2 features drifted (spend_total" in found[0].measured


def test_without_a_reference_drift_is_unknown_and_no_alarm() -> None:
    old = {"n_orders": reference.from_json([0.0, 1.0, 2.0])}
    found = drift.measure(old, drift.counted(old, {"n_orders": np.ones(5)}, 0), ("n_orders", P_CHURN, VALUE))
    assert [row.psi for row in found] == [None] * 3
    checks = drift.judge(found)
    assert [check.level for check in checks] == ["unknown"] * 3
    assert all("no reference" in check.measured for check in checks)


def test_counts_of_two_parts_add_up_to_those_of_the_whole() -> None:
    rng = np.random.default_rng(16)
    column = np.where(rng.random(999) < 0.1, np.nan, rng.gamma(1.0, 9.0, 999))
    references = {"x": reference.from_column(column)}
    whole = drift.counted(references, {"x": column}, 0)["x"]
    parts: dict[str, Counted] = {}
    for part in np.array_split(column, 4):
        parts = drift.add(parts, drift.counted(references, {"x": part}, 0))
    assert parts["x"].counts.tolist() == whole.counts.tolist()
    assert parts["x"].missing == whole.missing
    assert parts["x"].mean == pytest.approx(float(np.nanmean(column)))


def test_means_tell_which_way_a_number_went() -> None:
    row = level_of(np.array([1.0, 2.0, 3.0, np.nan]), np.array([2.0, 4.0, np.nan, np.nan]))
    assert (row.mean_then, row.mean_now, row.missing_then, row.missing_now) == (2.0, 3.0, 0.25, 0.5)
