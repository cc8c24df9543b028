from __future__ import annotations

import datetime as dt
import itertools

import pandas as pd
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tiercast.models.bgnbd import BgNbd
from tiercast.models.btyd import Btyd
from tiercast.models.gamma_gamma import GammaGamma
from tiercast.training.windows import schedule
from tiercast.training.windows.snapshots import Snapshot

CLOSED_FORM = Btyd(BgNbd(1, 1, 1, 1), GammaGamma(1, 2, 1))
FIRST = dt.date(2020, 1, 1)


def snapshot(as_of: dt.date) -> Snapshot:
    return Snapshot(as_of, pa.chunked_array([[""]]), pd.DataFrame(), CLOSED_FORM, None, None, None)


def planned(history: int, horizon: int, most: int) -> list[Snapshot]:
    days = schedule.plan(FIRST, FIRST + dt.timedelta(history), horizon, most)
    return [snapshot(day) for day in days]


@given(st.integers(0, 2000), st.integers(1, 400), st.integers(1, 20))
def test_windows_close_by_the_day_they_are_planned_on_and_have_history(history: int, horizon: int, most: int) -> None:
    until = FIRST + dt.timedelta(history)
    found = schedule.plan(FIRST, until, horizon, most)
    assert len(found) <= most
    assert list(found) == sorted(set(found))
    assert all(day + dt.timedelta(horizon) <= until for day in found)
    assert all((day - FIRST).days >= min(horizon // 2, 90) for day in found)
    if found:
        assert found[-1] + dt.timedelta(horizon) == until, "the newest window is as new as it can be"


@given(st.integers(0, 2000), st.integers(1, 400), st.integers(1, 20), st.integers(1, 6))
def test_every_training_window_of_a_fold_is_over_before_its_test_begins(
    history: int, horizon: int, most: int, most_folds: int
) -> None:
    found = schedule.folds(planned(history, horizon, most), horizon, most_folds)
    over = dt.timedelta(horizon)
    assert len(found) <= most_folds
    for fold in found:
        assert fold.train
        assert all(window.as_of + over <= fold.test.as_of for window in fold.train)
    for earlier, later in itertools.pairwise(found):
        assert earlier.test.as_of + over <= later.test.as_of, "no two tests overlap"


def test_folds_worked_out_by_hand() -> None:
    """Windows of 60 days, 30 days apart: the newest is a test, and the newest that ended before it began."""
    days = [FIRST + dt.timedelta(30 * k) for k in range(6)]
    found = schedule.folds([snapshot(day) for day in days], 60, 9)
    assert [fold.test.as_of for fold in found] == [days[3], days[5]]
    assert [[window.as_of for window in fold.train] for fold in found] == [days[:2], days[:4]]


def test_one_window_makes_no_fold() -> None:
    assert schedule.folds([snapshot(FIRST)], 30, 3) == ()
    assert schedule.folds([], 30, 3) == ()


def test_too_short_a_history_makes_no_window() -> None:
    assert schedule.plan(FIRST, FIRST + dt.timedelta(88), 60, 5) == ()
    assert schedule.plan(FIRST, FIRST + dt.timedelta(90), 60, 5) == (FIRST + dt.timedelta(30),)
