from __future__ import annotations

import dataclasses

from tiercast.serving.access import rate_limit


@dataclasses.dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_over_a_minute_no_more_pass_than_the_bucket_and_what_flowed_in() -> None:
    """10 a second for 60 s and a bucket of 2 s: 600 + 20."""
    clock = Clock()
    rates = rate_limit.RateLimiter(10, clock)
    passed = 0
    for step in range(60_000):
        clock.now = step / 1000
        passed += rates.wait("a") == 0
    assert passed == 620 - 1  # the last thousandth of the minute was not yet over


def test_a_caller_that_waits_as_long_as_required_passes() -> None:
    clock = Clock()
    rates = rate_limit.RateLimiter(4, clock)
    while (wait := rates.wait("a")) == 0:
        pass
    assert wait == 0.25
    clock.now += wait
    assert rates.wait("a") == 0


def test_one_key_does_not_empty_the_bucket_of_another() -> None:
    rates = rate_limit.RateLimiter(1, Clock())
    assert [rates.wait("a"), rates.wait("a"), rates.wait("a") > 0, rates.wait("b")] == [0, 0, True, 0]


def test_a_pause_fills_the_bucket_no_further_than_its_size() -> None:
    clock = Clock()
    rates = rate_limit.RateLimiter(1, clock)
    rates.wait("a")
    clock.now = 1e6
    assert [rates.wait("a") for _ in range(3)] == [0, 0, 1]


def test_a_clock_that_stands_still_lets_no_one_pass_by_asking_on() -> None:
    rates = rate_limit.RateLimiter(2, Clock())
    answers = [rates.wait("a") for _ in range(1000)]
    assert answers.count(0) == 4


def test_zero_is_no_limit() -> None:
    rates = rate_limit.RateLimiter(0, Clock())
    assert not any(rates.wait("a") for _ in range(10_000))
