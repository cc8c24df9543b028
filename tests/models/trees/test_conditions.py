from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tiercast.models.trees import conditions
from tiercast.models.trees.text_format import ZERO_THRESHOLD, MissingType, Split


def test_splits_of_two_trees_with_the_same_condition_share_a_row() -> None:
    one = Split(0, 1.5, None, "nan", default_left=True)
    found, rows = conditions.distinct([one, one._replace(threshold=2.5), one, one._replace(default_left=False)])
    assert rows.tolist() == [0, 1, 0, 2]
    assert [run.nan_goes_right for run in found.runs] == [False, True]
    assert found.never == 3


@given(
    threshold=st.sampled_from([-1.5, -ZERO_THRESHOLD, ZERO_THRESHOLD, 0.0, 2.0]),
    missing_type=st.sampled_from(["none", "zero", "nan"]),
    default_left=st.booleans(),
    categories=st.sampled_from([None, frozenset({0, 2, 33})]),
)
def test_a_condition_sends_everybody_where_lightgbms_rules_do(
    threshold: float, missing_type: MissingType, default_left: bool, categories: frozenset[int] | None
) -> None:
    split = Split(0, threshold, categories, missing_type, default_left)
    column = np.array([np.nan, -2.0, -1.5, -0.0, 0.0, 1.0, 2.0, 33.0, 1e300 if categories is None else 64.0])
    found, rows = conditions.distinct([split])
    goes_right = conditions.evaluate(found, [column], slice(None))
    assert goes_right[rows[0]].astype(bool).tolist() == conditions.evaluate_split(split, column).tolist()
    assert not goes_right[found.never].any()
