from __future__ import annotations

import pytest

from tiercast.contract import errors
from tiercast.serving.http import limits


def test_a_limit_that_is_not_set_has_its_default() -> None:
    assert limits.from_env({"PATH": "/bin"}) == limits.Limits()
    assert limits.from_env({"TIERCAST_BODY_MB": "0.5"}).body_bytes == 524_288


@pytest.mark.parametrize("text", ["", "ten", "nan", "inf", "-1", "0"])
def test_a_limit_that_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(errors.BadInput, match="TIERCAST_IN_FLIGHT"):
        limits.from_env({"TIERCAST_IN_FLIGHT": text})


def test_only_the_rate_may_be_zero_for_none() -> None:
    assert limits.from_env({"TIERCAST_RATE": "0"}).rate == 0


@pytest.mark.parametrize("name", ["TIERCAST_WORKERS", "TIERCAST_THREADS"])
@pytest.mark.parametrize("text", ["two", "1.5", "0", ""])
def test_a_number_of_processes_or_threads_that_is_none_is_refused(name: str, text: str) -> None:
    with pytest.raises(errors.BadInput, match="not a valid whole number") as refused:
        limits.from_env({name: text})
    assert refused.value.first == f"{name}={text}"
