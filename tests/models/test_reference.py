from __future__ import annotations

import json

import numpy as np
import pytest

from tiercast.models import reference


def test_every_customer_is_in_one_bin_or_missing() -> None:
    rng = np.random.default_rng(1)
    column = np.where(rng.random(5000) < 0.2, np.nan, rng.poisson(0.7, 5000).astype(np.float64))
    found = reference.from_column(column)
    assert found.n == 5000
    assert found.missing == int(np.isnan(column).sum())
    again = reference.count(found, column)
    assert again.counts.tolist() == list(found.counts)
    assert again.missing == found.missing


def test_a_value_that_many_share_is_a_bin_of_its_own() -> None:
    column = np.concatenate([np.zeros(700), np.linspace(1, 2, 300)])
    found = reference.from_column(column)
    assert found.counts[0] == 700
    assert found.edges[0] == 0.0
    assert found.mean == pytest.approx(0.45)
    inside = np.concatenate([np.linspace(-1, -0.5, 200), np.full(500, 3.0), np.linspace(3.5, 4, 300)])
    found = reference.from_column(inside)
    assert 500 in found.counts, "cut off from below and from above"


def test_bins_of_a_continuous_number_hold_about_a_twentieth_each() -> None:
    found = reference.from_column(np.random.default_rng(2).normal(size=10_000))
    assert len(found.counts) == 20
    assert all(n == pytest.approx(500, abs=2) for n in found.counts)


def test_no_bin_is_too_small_to_be_counted_on() -> None:
    column = np.concatenate([np.zeros(985), np.arange(1.0, 16.0)])
    assert min(reference.from_column(column).counts) >= 10
    few = np.arange(12.0)
    assert min(reference.from_column(few).counts) >= 5


@pytest.mark.parametrize("column", [np.full(9, 3.0), np.full(9, np.nan), np.array([np.inf, 1.0, 2.0])])
def test_columns_with_little_to_tell_have_one_bin(column: np.ndarray) -> None:
    found = reference.from_column(column)
    assert len(found.counts) == 1
    assert found.n == len(column)


def test_a_reference_survives_json_and_an_old_list_is_quantiles_alone() -> None:
    found = reference.from_column(np.random.default_rng(3).gamma(1.0, 2.0, 500))
    assert reference.from_json(json.loads(json.dumps(found._asdict()))) == found
    old = reference.from_json([0.0, 1.0, 2.0])
    assert (old.quantiles, old.counts) == ((0.0, 1.0, 2.0), ())


def test_bins_are_no_narrower_than_asked() -> None:
    rng = np.random.default_rng(4)
    risk = np.concatenate([rng.uniform(0, 0.9, 300), rng.uniform(0.955, 0.96, 700)])
    then = reference.from_column(risk, width=0.05)
    assert np.diff(then.edges).min() >= 0.05
    moved = reference.count(then, np.where(risk > 0.95, risk + 0.01, risk))
    assert moved.counts.tolist() == list(then.counts), "a hundredth of risk moves nobody"
