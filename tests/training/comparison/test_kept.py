from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.training.comparison.conftest import Pair
from tiercast.training.comparison import kept
from tiercast.training.comparison.kept import HoldoutWindow, Kept


def window(n: int, ids: str = "ab" * 16) -> HoldoutWindow:
    return HoldoutWindow(dt.date(1998, 4, 2), 90, n, ids)


def test_what_is_kept_is_what_was_judged(pair: Pair) -> None:
    assert pair.one.value is not None
    judged = pair.one.value.judged
    found = kept.draw("value", judged, 200_000)
    assert np.array_equal(found.forecast, judged.forecasts["tiercast"])
    assert np.array_equal(found.actual, judged.actual)
    assert np.array_equal(found.tier, judged.predictions.tiers)
    assert found.window[:3] == (judged.as_of, 90, judged.n_customers)
    assert np.all(found.value_low <= found.value_high)


def test_what_was_written_is_read_again_bit_by_bit(pair: Pair, tmp_path: Path) -> None:
    assert pair.one.churn is not None
    before = kept.draw("churn", pair.one.churn, 200_000)
    kept.write(before, tmp_path / "churn.parquet")
    after = kept.read(tmp_path / "churn.parquet")
    assert after[:2] == before[:2]
    assert all(np.array_equal(one, other) for one, other in zip(before[2:], after[2:], strict=True))
    assert after.tier.dtype == before.tier.dtype


def test_a_sample_is_the_same_in_every_training_and_the_smaller_lies_in_the_larger() -> None:
    one, again = (kept.positions(window(1000), 100) for _ in range(2))
    assert np.array_equal(one, again)
    assert len(np.unique(one)) == 100
    assert np.all(np.diff(one) > 0)
    assert set(kept.positions(window(1000), 40)) <= set(one)
    assert not np.array_equal(one, kept.positions(window(1000, "cd" * 16), 100))


def test_up_to_the_limit_everybody_is_kept() -> None:
    assert kept.positions(window(5), 5).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("ids", [["a", "c", "b"], ["a", "b"], ["a", "bc"], ["ab", "c"], ["a", "b", "c "]])
def test_another_list_of_customers_has_another_digest(ids: list[str]) -> None:
    assert kept.digest(pa.chunked_array([["a", "b", "c"]])) != kept.digest(pa.chunked_array([ids]))


def test_the_digest_does_not_depend_on_how_the_list_is_chunked() -> None:
    whole, parts = pa.chunked_array([["a", "é", "城"]]), pa.chunked_array([["a"], ["é", "城"]])
    assert kept.digest(whole) == kept.digest(parts)


def rows(window: HoldoutWindow, actual: list[float]) -> Kept:
    same = np.array(actual)
    return Kept("churn", window, same, same, same, same, same, np.full(len(same), "A"))


def test_why_two_trainings_cannot_be_paired_is_said() -> None:
    here = rows(window(2), [0.0, 1.0])
    assert kept.why_not_paired(here, here) == ""
    assert kept.why_not_paired(here, None) == "a run keeps no forecasts"
    later = here.window._replace(as_of=dt.date(1998, 5, 1))
    assert kept.why_not_paired(here, here._replace(window=later)) == "the windows differ"
    assert kept.why_not_paired(here, here._replace(window=window(3))) == "the customers differ"
    assert kept.why_not_paired(here, rows(window(2), [0.0])) == "the runs keep different numbers of customers"
    assert kept.why_not_paired(here, rows(window(2), [1.0, 1.0])) == "the outcomes differ"
