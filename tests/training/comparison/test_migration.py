from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from tests.training.comparison.conftest import Pair
from tiercast.training.comparison import kept, migration
from tiercast.training.comparison.kept import HoldoutWindow, Kept
from tiercast.training.comparison.migration import Move


def rows(tiers: str, value: list[float], actual: list[float]) -> Kept:
    money, brought, n = np.array(value), np.array(actual), len(value)
    window = HoldoutWindow(dt.date(1998, 4, 2), 90, n, "ab" * 16)
    return Kept("value", window, brought, np.full(n, 0.5), money, money, money, np.array(list(tiers)))


def test_who_changes_tier_and_the_money_behind_it_by_hand() -> None:
    before = rows("AABD", [100.0, 80.0, 60.0, 1.0], [50.0, 0.0, 70.0, 0.0])
    after = rows("ABDD", [110.0, 70.0, 30.0, 2.0], [50.0, 0.0, 70.0, 0.0])
    found = migration.between(before, after)
    assert found.moves == (
        Move("A", "A", 1, 100.0, 110.0, 50.0),
        Move("A", "B", 1, 80.0, 70.0, 0.0),
        Move("B", "D", 1, 60.0, 30.0, 70.0),
        Move("D", "D", 1, 1.0, 2.0, 0.0),
    )
    assert (found.customers, found.changed, found.changed_share) == (4, 2, 0.5)
    assert (found.value_at_stake, found.brought) == (140.0, 70.0)
    assert found.letters == ("A", "B", "D")
    assert (found.customers_of("A", "B"), found.customers_of("B", "A")) == (1, 0)


def test_everybody_is_in_one_cell_of_the_matrix(pair: Pair) -> None:
    assert pair.one.value is not None
    assert pair.other.value is not None
    one, other = (kept.draw("value", each.judged, 200_000) for each in (pair.one.value, pair.other.value))
    found = migration.between(one, other)
    assert sum(move.customers for move in found.moves) == found.customers == len(one.actual)
    assert sum(move.value_before for move in found.moves) == pytest.approx(one.value.sum())
    assert found.changed == np.sum(one.tier != other.tier) > 0


def test_against_itself_nobody_changes_tier(pair: Pair) -> None:
    assert pair.one.value is not None
    one = kept.draw("value", pair.one.value.judged, 200_000)
    found = migration.between(one, one)
    assert (found.changed, found.value_at_stake) == (0, 0)
    assert {move.before for move in found.moves if move.before != move.after} == set()
