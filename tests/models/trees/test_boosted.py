"""Table lookup gives LightGBM's own predictions and TreeSHAP values, for every kind of split and missing value."""

from __future__ import annotations

from typing import Any

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiercast.contract.vectors import Vector
from tiercast.models import relative
from tiercast.models.trees import boosted, subtrees, text_format
from tiercast.models.trees.boosted import BoostedTrees
from tiercast.training.train import Trained

NAMES = ("a", "b", "c", "d", "label")
LABELS = 40  # two words of 32 bits


def shop(seed: int, n: int, missing: float) -> Vector:
    """Four numbers, many of them 0 or alike, and a label, with holes in all of them."""
    draw = np.random.default_rng(seed)
    table = np.column_stack(
        [
            draw.normal(size=n),
            draw.integers(-2, 4, n),
            draw.exponential(size=n) * (draw.random(n) < 0.5),
            draw.normal(size=n).round(1),
            draw.integers(0, LABELS, n),
        ]
    )
    table[draw.random(table.shape) < missing] = np.nan
    return table


def grown(table: Vector, seed: int, rounds: int = 8, **how: Any) -> BoostedTrees:
    draw = np.random.default_rng(seed)
    known = np.nan_to_num(table)
    target = known[:, 0] * known[:, 1] + known[:, 2] + 2 * (known[:, 4] % 3 == 1) + draw.normal(size=len(table))
    chosen = {
        "min_data_in_leaf": 5,
        "verbose": -1,
        "num_threads": 1,
        "seed": seed,
        "min_data_per_group": 1,
        "cat_smooth": 0.1,
        **how,
    }
    data = lgb.Dataset(table, target, categorical_feature=[4], params={"verbose": -1})
    return boosted.from_booster(lgb.train(chosen, data, rounds), NAMES)


def frame(table: Vector) -> dict[str, Vector]:
    return dict(zip(NAMES, np.ascontiguousarray(table.T), strict=True))


def by_lightgbm(model: BoostedTrees, table: Vector) -> Vector:
    return np.asarray(model.booster.predict(table, pred_contrib=True, num_threads=1))


def assert_equal(model: BoostedTrees, table: Vector) -> None:
    expected = by_lightgbm(model, table)
    found, base = boosted.contributions(model, frame(table))
    scale = np.abs(expected).sum(axis=1).max() + 1e-300
    for column, name in enumerate(NAMES):
        assert np.abs(found.get(name, np.zeros(len(table))) - expected[:, column]).max() <= 1e-12 * scale, name
    assert base == pytest.approx(expected[:, -1], rel=1e-12, abs=1e-15)
    raw = np.asarray(model.booster.predict(table, raw_score=True, num_threads=1))
    assert boosted.raw_score(model, frame(table), np.zeros(len(table))).tobytes() == raw.tobytes()


def strange(seed: int) -> Vector:
    """Customers unlike those at training: other labels, exact zeros, nothing known at all."""
    table = shop(seed, 200, 0.3)
    table[:20, 4] = LABELS + np.arange(20)
    table[20:40, 4] = -1.0
    table[40:60, :4] = 0.0
    table[60] = np.nan
    return table


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    leaves=st.integers(2, 40),
    holes=st.sampled_from([0.0, 0.2]),
    how=st.sampled_from([{}, {"zero_as_missing": True}, {"use_missing": False}, {"extra_trees": True}]),
)
def test_every_customer_gets_what_lightgbm_says(seed: int, leaves: int, holes: float, how: dict[str, Any]) -> None:
    model = grown(shop(seed, 400, holes), seed, num_leaves=leaves, max_depth=subtrees.MOST_SPLITS, **how)
    subtrees.from_trees(text_format.parse(model.text))  # does not refuse: what follows is table lookup
    assert_equal(model, strange(seed + 1))


def test_labels_of_two_words_and_missing_zeros_are_among_what_was_tested() -> None:
    splits = [
        split
        for how in ({}, {"zero_as_missing": True}, {"use_missing": False})
        for tree in text_format.parse(grown(shop(3, 400, 0.2), 3, num_leaves=12, max_depth=6, **how).text)
        for split in tree.splits
    ]
    numeric = {(split.missing_type, split.default_left) for split in splits if split.categories is None}
    assert {(missing, left) for missing in ("nan", "zero") for left in (True, False)} <= numeric
    assert max(max(split.categories) for split in splits if split.categories) >= 32


STEPS = np.column_stack([np.repeat(np.arange(40.0), 50), *np.zeros((4, 2000))])


def deep(leaves: int) -> BoostedTrees:
    """Trees that cut off one step at a time."""
    data = lgb.Dataset(STEPS, 2.0 ** STEPS[:, 0], params={"verbose": -1})  # half of what is left is in the last step
    how = {"num_leaves": leaves, "min_data_in_leaf": 1, "min_sum_hessian_in_leaf": 0.0, "verbose": -1}
    return boosted.from_booster(lgb.train(how, data, 3), NAMES)


@pytest.mark.parametrize("leaves", [8, 31])
def test_trees_that_are_too_deep_are_left_to_lightgbm(leaves: int) -> None:
    model = deep(leaves)
    if leaves == 31:
        with pytest.raises(ValueError, match="longer than"):
            subtrees.from_trees(text_format.parse(model.text))
    assert_equal(model, STEPS[::10])


def test_a_model_that_learned_nothing_gives_everybody_its_base() -> None:
    model = grown(np.zeros((50, 5)), 1, num_leaves=4)
    found, base = boosted.contributions(model, frame(np.zeros((3, 5))))
    assert all((part == 0).all() for part in found.values())
    assert base == pytest.approx(by_lightgbm(model, np.zeros((3, 5)))[:, -1])


def test_equal_trees_count_each() -> None:
    table = np.column_stack([np.repeat([0.0, 1.0], 50), *np.zeros((4, 100))])
    model = grown(table, 1, rounds=3, num_leaves=2, learning_rate=1e-9, boost_from_average=False)
    assert_equal(model, table[::10])


def test_one_customer_gets_the_same_bits_as_among_many() -> None:
    model = grown(shop(5, 500, 0.1), 5, num_leaves=8)
    table = strange(6)
    together, _ = boosted.contributions(model, frame(np.tile(table, (7, 1))))
    raw = boosted.raw_score(model, frame(np.tile(table, (7, 1))), np.zeros(1400))
    for row in (0, 57, 60, 199):
        assert (
            boosted.raw_score(model, frame(table[row : row + 1]), np.zeros(1)).tobytes() == raw[row : row + 1].tobytes()
        )
        alone, _ = boosted.contributions(model, frame(table[row : row + 1]))
        assert {name: part[0] for name, part in alone.items()} == {name: part[row] for name, part in together.items()}
        assert all(part[row] == part[row + 200 * 6] for part in together.values())


def test_sums_by_group_are_the_sums_of_their_features() -> None:
    model, table = grown(shop(7, 500, 0.1), 7, num_leaves=8), strange(8)
    each, base = boosted.contributions(model, frame(table))
    for built in (model, grown(np.column_stack([np.arange(500.0)] * 5), 1, num_leaves=40)):
        sums, same_base = boosted.contributions(built, frame(table), ("x", "y", "x", "y", ""))
        parts, _ = boosted.contributions(built, frame(table))
        for group, members in {"x": "ac", "y": "bd"}.items():
            expected = sum(parts.get(name, np.zeros(200)) for name in members)
            assert sums.get(group, np.zeros(200)) == pytest.approx(expected, abs=1e-10)
    assert len(each) <= len(NAMES)
    assert len(base) == len(table) == len(same_base)


def test_a_real_bundles_contributions_are_lightgbms(trained: Trained) -> None:
    learned = trained.bundle.churn.stack
    trees = learned.trees
    assert trees is not None
    table = relative.columns(trained.final.now.frame, trees.names, learned.days)
    expected = np.asarray(trees.booster.predict(np.column_stack([table[n] for n in trees.names]), pred_contrib=True))
    found, base = boosted.contributions(trees, table)
    for column, name in enumerate(trees.names):
        assert np.abs(found.get(name, 0.0) - expected[:, column]).max() <= 1e-13
    assert base == pytest.approx(expected[:, -1], abs=1e-13)


@pytest.mark.parametrize("n", [0, 1, 2, 200, 3000])
def test_scores_and_contributions_together_have_the_same_bits_as_apart(n: int) -> None:
    groups = ("x", "y", "x", "y", "")
    cut_up, too_deep = grown(shop(9, 500, 0.1), 9, num_leaves=8), deep(31)
    offset = np.linspace(-1.0, 1.0, n)
    for model in (cut_up, too_deep, None):
        some = frame(np.resize(strange(10), (n, 5)))
        raw, sums = boosted.explain(model, some, offset, groups)
        assert raw.tobytes() == boosted.raw_score(model, some, offset).tobytes()
        apart, _ = boosted.contributions(model, some, groups)
        assert {name: part.tobytes() for name, part in sums.items()} == {k: part.tobytes() for k, part in apart.items()}
