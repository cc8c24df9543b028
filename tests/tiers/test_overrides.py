from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pytest

from tiercast.contract import errors
from tiercast.tiers import overrides

UNTIL = datetime.date(2024, 7, 1)
DAY = datetime.timedelta(days=1)
TIERS, IDS = np.array(["A", "B", "D"]), ["c1", "c2", "c3"]


def row(customer_id: str, tier: str, until: datetime.date = UNTIL) -> overrides.Override:
    return overrides.Override(customer_id, tier, until)


def test_an_override_holds_on_the_day_before_until_and_not_on_the_day_itself() -> None:
    before = overrides.apply(TIERS, IDS, [row("c3", "A")], UNTIL - DAY)
    assert (before.tiers.tolist(), before.applied, before.expired) == (["A", "B", "A"], 1, 0)
    after = overrides.apply(TIERS, IDS, [row("c3", "A")], UNTIL)
    assert (after.tiers.tolist(), after.applied, after.expired) == (["A", "B", "D"], 0, 1)


def test_the_computed_tiers_are_left_as_they_are() -> None:
    computed = TIERS.copy()
    overrides.apply(computed, IDS, [row("c1", "E")], UNTIL - DAY)
    assert computed.tolist() == TIERS.tolist()


def test_unknown_customers_are_named_and_counted_apart() -> None:
    found = overrides.apply(TIERS, IDS, [row("c9", "A"), row("c2", "C"), row("c8", "A")], UNTIL - DAY)
    assert found.tiers.tolist() == ["A", "C", "D"]
    assert (found.applied, found.unknown) == (1, ("c8", "c9"))


@pytest.mark.parametrize("order", [1, -1])
def test_the_override_that_lasts_longest_counts_whatever_the_order_of_rows(order: int) -> None:
    rows = [row("c1", "B"), row("c1", "C", UNTIL + DAY)][::order]
    found = overrides.apply(TIERS, IDS, rows, UNTIL - DAY)
    assert (found.tiers[0], found.applied, found.superseded) == ("C", 1, 1)


def test_two_that_disagree_until_the_same_day_are_refused() -> None:
    with pytest.raises(errors.BadInput, match="c1: B and C until 2024-07-01"):
        overrides.apply(TIERS, IDS, [row("c1", "B"), row("c1", "C")], UNTIL - DAY)


def test_the_same_override_twice_counts_once() -> None:
    found = overrides.apply(TIERS, IDS, [row("c1", "B"), row("c1", "B")], UNTIL - DAY)
    assert (found.applied, found.superseded) == (1, 1)


@pytest.mark.parametrize("letter", ["G", "a", "", "AB"])
def test_a_letter_outside_the_grid_is_refused_even_when_expired(letter: str) -> None:
    with pytest.raises(errors.BadInput, match="1 of 2 overrides") as caught:
        overrides.apply(TIERS, IDS, [row("c1", "A"), row("c2", letter)], UNTIL)
    assert caught.value.first == f"customer c2, tier {letter!r}"


def test_every_spelling_of_an_id_column_works_and_leading_zeros_count() -> None:
    ids = ["007", "7", "x"]
    for column in (
        ids,
        np.array(ids),
        np.array(ids, dtype=object),
        pa.array(ids),
        pa.chunked_array([ids[:1], ids[1:]]),
    ):
        assert overrides.apply(TIERS, column, [row("007", "F")], UNTIL - DAY).tiers.tolist() == ["F", "B", "D"]


def test_without_overrides_nothing_changes() -> None:
    assert overrides.apply(TIERS, IDS, [], UNTIL).tiers.tolist() == TIERS.tolist()
