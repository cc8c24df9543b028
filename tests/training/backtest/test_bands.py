from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tiercast.tiers import grid
from tiercast.tiers.grid import Cuts
from tiercast.training.backtest import bands
from tiercast.training.backtest.bands import NONE, Band
from tiercast.training.backtest.panel import Panel

CUTS = Cuts(value=100.0, p_churn=0.5, inactive_days=300)


def panel(value: list[list[float]], p_churn: list[list[float]], silence: float = 1.0) -> Panel:
    """Raw tiers as the grid gives them; nan where a customer was not known."""
    money, risk = np.array(value), np.array(p_churn)
    columns = zip(risk.T, money.T, strict=True)
    known = ~np.isnan(money)
    letters = [grid.assign(p, v, np.full(len(p), silence), np.where(np.isnan(v), 0.0, 1.0), CUTS) for p, v in columns]
    tiers = np.where(known, np.array(letters).T, "")
    return Panel(tiers, risk, money, money, (CUTS,) * money.shape[1])


def test_without_bands_the_tiers_are_the_raw_ones() -> None:
    given_ = panel([[90.0, 110.0, 90.0]], [[0.4, 0.6, 0.4]])
    assert bands.held(given_, NONE).tolist() == given_.tiers.tolist() == [["C", "B", "C"]]


def test_a_customer_on_the_line_stays_where_they_were_and_one_far_beyond_it_moves() -> None:
    """Band 20 %: from C one must reach 120, from A fall below 80."""
    on_the_line = panel([[90.0, 110.0, 90.0], [90.0, 130.0, 90.0], [90.0, 130.0, 79.0]], [[0.1] * 3] * 3)
    held = bands.held(on_the_line, Band(0.2, 0.0))
    assert held.tolist() == [["C", "C", "C"], ["C", "A", "A"], ["C", "A", "C"]]


def test_who_was_not_known_at_the_scoring_before_gets_the_raw_tier() -> None:
    late = panel([[np.nan, 110.0, 90.0]], [[np.nan, 0.1, 0.1]])
    assert bands.held(late, Band(0.2, 0.0)).tolist() == [["", "A", "A"]]


@given(st.lists(st.lists(st.floats(50, 150), min_size=5, max_size=5), min_size=1, max_size=20))
def test_with_one_cut_wider_bands_never_move_more(value: list[list[float]]) -> None:
    """A theorem of hysteresis on one threshold: a crossing of the wide band crosses the narrow one too."""
    found = panel(value, [[0.1] * 5] * len(value))
    moves = [(np.diff(bands.held(found, Band(band, 0.0)) == "A", axis=1)).sum() for band in (0.0, 0.1, 0.2)]
    starts = bands.held(found, Band(0.2, 0.0))[:, 0]
    assert starts.tolist() == found.tiers[:, 0].tolist()
    assert moves[0] >= moves[1] >= moves[2]


def test_the_sweep_begins_without_bands_and_holds_the_bands_of_the_cuts() -> None:
    given_ = panel([[90.0, 110.0, 90.0]] * 10, [[0.1] * 3] * 10)
    own = given_._replace(cuts=(CUTS._replace(value_band=0.15, p_churn_band=0.03),) * 3)
    rows = bands.sweep(own, draws=20, seed=0)
    assert (rows[0].value_band, rows[0].p_churn_band, rows[0].flip_back.value) == (0.0, 0.0, 1.0)
    kept = next(row for row in rows if (row.value_band, row.p_churn_band) == (0.15, 0.03))
    assert (kept.flip_back.value, kept.moved) == (0.0, 0.0)
