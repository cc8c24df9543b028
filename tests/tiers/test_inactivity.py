from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tiercast.contract.vectors import Vector
from tiercast.tiers import inactivity


def base(*groups: tuple[float, int, int]) -> tuple[Vector, Vector]:
    """Customers from groups (silence_days, customers, of whom returned)."""
    silence = np.concatenate([np.full(size, days) for days, size, _ in groups])
    returned = np.concatenate([(np.arange(size) < back).astype(np.float64) for _, size, back in groups])
    return silence, returned


def test_the_limit_is_the_first_silence_from_which_hardly_anyone_returns() -> None:
    # from day 60 on: 24 of 400 (6 %); from day 90 on: 4 of 200 (2 %)
    assert inactivity.limit(*base((30, 500, 300), (60, 200, 20), (90, 200, 4))) == 90


def test_exactly_the_share_is_not_fewer_than_the_share() -> None:
    assert inactivity.limit(*base((90, 100, 5))) is None
    assert inactivity.limit(*base((90, 100, 4))) == 90


def test_a_quiet_stretch_does_not_count_while_longer_silences_return_more() -> None:
    # from day 30 on 2.8 % return, but from day 60 on 14 of 200 (7 %): only from day 90 on is it quiet for good
    assert inactivity.limit(*base((30, 300, 0), (60, 100, 14), (90, 100, 0))) == 90


def test_a_handful_in_the_far_tail_cannot_veto() -> None:
    # 3 of 10 returned after 900 days, too few to judge; from day 90 on it is 5 of 210 (2.4 %)
    assert inactivity.limit(*base((30, 500, 300), (90, 200, 2), (900, 10, 3))) == 90


def test_too_few_customers_give_no_limit() -> None:
    assert inactivity.limit(*base((400, 99, 0))) is None
    assert inactivity.limit(np.array([]), np.array([])) is None


def test_prospects_have_no_silence_and_are_left_out() -> None:
    silence, returned = base((90, 200, 0))
    with_prospects = np.append(silence, np.full(500, np.nan)), np.append(returned, np.ones(500))
    assert inactivity.limit(*with_prospects) == 90


def by_definition(silence: Vector, returned: Vector, share: float, least: int) -> float | None:
    """The rule read aloud, day by day."""
    days = [s for s in sorted(set(silence.tolist())) if (silence >= s).sum() >= least]
    quiet = {s: returned[silence >= s].sum() < share * (silence >= s).sum() for s in days}
    return next((s for s in days if all(quiet[longer] for longer in days if longer >= s)), None)


@given(st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=60), st.sampled_from([0.25, 0.5]))
def test_the_fast_way_agrees_with_the_definition(customers: list[tuple[int, bool]], share: float) -> None:
    silence = np.array([days for days, _ in customers], dtype=np.float64)
    returned = np.array([back for _, back in customers], dtype=np.float64)
    expected = by_definition(silence, returned, share, 5)
    assert inactivity.limit(silence, returned, share=share, min_customers=5) == expected
