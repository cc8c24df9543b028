from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models import intervals
from models.vectors import Vector
from tiers.grid import Cuts
from training import fit_intervals
from training.fit_intervals import Outcomes

CUTS = Cuts(value=30.0, p_churn=0.5)


def simulated(seed: int, n: int, *, churners_bring_nothing: bool = False) -> Outcomes:
    """Realised value is lognormal around the prediction, its spread wider for small predictions."""
    rng = np.random.default_rng(seed)
    value, p = rng.gamma(2.0, 12.0, n), rng.random(n)
    actual = value * np.exp(rng.normal(0, np.where(value < 20, 1.0, 0.4)))
    churned = (rng.random(n) < p).astype(float)
    return Outcomes(value, p, np.where(churned > 0, 0.0, actual) if churners_bring_nothing else actual, churned)


def held(seen: Outcomes, low: Vector, high: Vector) -> NDArray[np.bool_]:
    return (low <= seen.actual) & (seen.actual <= high)


def bounds(seen: Outcomes, new: Outcomes) -> intervals.Certainty:
    table = fit_intervals.fit(seen, CUTS)
    tiers = np.full(len(new.value), "A")
    return intervals.certainty(table, new.value, new.p_churn, tiers, CUTS)


@pytest.mark.slow
def test_intervals_cover_80_percent_of_new_customers_overall_and_in_every_group() -> None:
    seen, new = simulated(1, 30_000), simulated(2, 60_000)
    sure = bounds(seen, new)
    inside = held(new, sure.value_low, sure.value_high)
    assert inside.mean() == pytest.approx(0.8, abs=0.03)
    for group in (new.value < 10, new.value >= 30, new.p_churn > 0.5, new.p_churn <= 0.5):
        assert inside[group].mean() == pytest.approx(0.8, abs=0.03)


@pytest.mark.slow
def test_where_many_bring_nothing_the_interval_starts_at_zero_and_still_covers() -> None:
    options = {"churners_bring_nothing": True}
    seen, new = simulated(3, 30_000, **options), simulated(4, 60_000, **options)
    sure = bounds(seen, new)
    assert (sure.value_low[new.p_churn > 0.5] == 0).all()
    assert held(new, sure.value_low, sure.value_high).mean() >= 0.77


@pytest.mark.slow
def test_the_chance_of_high_value_is_calibrated() -> None:
    seen, new = simulated(5, 30_000, churners_bring_nothing=True), simulated(6, 60_000, churners_bring_nothing=True)
    p_high = bounds(seen, new).p_high_value
    is_high = new.actual >= CUTS.value
    for low, high in ((0.0, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 1.0)):
        group = (p_high >= low) & (p_high < high)
        assert is_high[group].mean() == pytest.approx(p_high[group].mean(), abs=0.03)


def test_order_statistics_are_those_of_split_conformal() -> None:
    """Nine ratios 1 to 9: (9 + 1) * 0.1 = 1st and (9 + 1) * 0.9 = 9th."""
    ratios = np.arange(1.0, 10.0)
    seen = Outcomes(np.ones(9), np.zeros(9), ratios, np.zeros(9))
    table = fit_intervals.fit(seen, Cuts(value=100.0))
    assert (table.low.min(), table.high.max()) == (1, 9)


def test_a_tenth_or_more_of_zeros_takes_the_interval_from_zero_to_the_80_percent_quantile() -> None:
    """Ten ratios with one zero: (10 + 1) * 0.8 = 8.8, so the 9th, which is 8."""
    seen = Outcomes(np.ones(10), np.zeros(10), np.arange(10.0), np.zeros(10))
    table = fit_intervals.fit(seen, Cuts(value=100.0))
    assert (table.low.max(), table.high.max()) == (0, 8)


def test_no_group_spans_the_value_cut() -> None:
    assert CUTS.value in fit_intervals.fit(simulated(1, 2000), CUTS).edges


def test_few_customers_or_a_cut_beyond_all_of_them_still_give_a_full_table() -> None:
    for n, cut in ((1, 30.0), (5, 1e9), (300, 1e-9)):
        table = fit_intervals.fit(simulated(1, n), Cuts(value=cut))
        for part in table[1:]:
            assert part.shape == (len(table.edges) + 1, 2)
            assert np.isfinite(part).all()
        assert (table.low <= table.high).all()


def test_predictions_of_nothing_do_not_divide_by_zero() -> None:
    seen = simulated(1, 500)._replace(value=np.zeros(500))
    assert np.isfinite(fit_intervals.fit(seen, CUTS).high).all()
