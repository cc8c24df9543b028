from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from tiercast.tiers import grid, moves

LOYAL, HIGH = set("AC"), set("AB")


def test_on_the_grid_a_move_is_down_exactly_when_loyalty_or_value_was_lost() -> None:
    for old, new in itertools.permutations("ABCD", 2):
        loses_loyalty = old in LOYAL and new not in LOYAL
        loses_value = old in HIGH and new not in HIGH
        assert moves.direction_of(old, new) == ("down" if loses_loyalty or loses_value else "up")
        words = {(1, 0): "loyalty", (0, 1): "value", (1, 1): "both", (0, 0): ""}
        assert moves.lost(old, new) == words[loses_loyalty, loses_value]


def test_the_two_diagonal_moves_both_lose_something() -> None:
    assert (moves.direction_of("B", "C"), moves.lost("B", "C")) == ("down", "value")
    assert (moves.direction_of("C", "B"), moves.lost("C", "B")) == ("down", "loyalty")


@pytest.mark.parametrize("tier", list("ABCD"))
def test_falling_asleep_is_down_and_waking_up_is_up(tier: str) -> None:
    assert (moves.direction_of(tier, "E"), moves.lost(tier, "E")) == ("down", "activity")
    assert (moves.direction_of("E", tier), moves.lost("E", tier)) == ("up", "")
    assert moves.direction_of("F", tier) == "up", "a first order"
    assert moves.lost(tier, "F") == "orders", "orders that are not in the data any more"


@pytest.mark.parametrize("tier", grid.TIERS)
def test_who_is_in_one_of_the_files_only_comes_or_goes(tier: str) -> None:
    assert moves.direction_of("", tier) == "in"
    assert moves.direction_of(tier, "") == "out"
    assert moves.direction_of(tier, tier) == "stay"


def test_the_matrix_is_the_crosstab_and_its_money_the_sums_per_cell() -> None:
    rng = np.random.default_rng(3)
    places = np.array(moves.PLACES)
    old, new = (places[rng.integers(0, 7, 5000)] for _ in range(2))
    before, after = rng.gamma(2.0, 50.0, (2, 5000))
    after[rng.random(5000) < 0.1] = np.nan
    found = moves.matrix(old, new, before, after)
    frame = pd.DataFrame({"old": old, "new": new, "before": before, "after": after})
    counts = pd.crosstab(frame.old, frame.new).reindex(index=moves.PLACES, columns=moves.PLACES)
    assert (found.customers == counts.to_numpy()).all()
    sums = frame.groupby(["old", "new"])[["before", "after"]].sum()
    for name, table in (("before", found.before), ("after", found.after)):
        wanted = sums[name].unstack().reindex(index=moves.PLACES, columns=moves.PLACES)
        np.testing.assert_allclose(table, wanted.to_numpy())


def test_groups_with_their_sizes_give_the_matrix_of_their_customers() -> None:
    rng = np.random.default_rng(4)
    old, new = (np.array(moves.PLACES)[rng.integers(0, 7, 800)] for _ in range(2))
    before, after = rng.integers(0, 100, (2, 800)).astype(np.float64)  # whole numbers add exactly in any order
    frame = pd.DataFrame({"old": old, "new": new, "before": before, "after": after})
    sums = frame.groupby(["old", "new"], as_index=False).agg(
        n=("old", "size"), before=("before", "sum"), after=("after", "sum")
    )
    was, became = (sums[name].to_numpy().astype("<U1") for name in ("old", "new"))
    grouped = moves.matrix(was, became, sums.before.to_numpy(), sums.after.to_numpy(), sums.n.to_numpy())
    for one, other in zip(grouped, moves.matrix(old, new, before, after), strict=True):
        assert (one == other).all()


def test_every_customer_goes_exactly_one_way() -> None:
    rng = np.random.default_rng(5)
    old, new = (np.array(moves.PLACES)[rng.integers(0, 7, 900)] for _ in range(2))
    ways = moves.counts(moves.matrix(old, new, np.ones(900), np.ones(900)))
    said = pd.Series(moves.direction(old, new)).value_counts().to_dict()
    assert ways == said
    assert sum(ways.values()) == 900


def test_value_in_some_tiers_counts_those_who_were_there_and_those_who_are() -> None:
    old, new = np.array(["A", "B", "D", ""]), np.array(["C", "B", "A", "A"])
    before, after = np.array([100.0, 50.0, 5.0, np.nan]), np.array([10.0, 40.0, 90.0, 7.0])
    assert moves.value_in(moves.matrix(old, new, before, after), grid.HIGH_VALUE) == (150.0, 137.0)
