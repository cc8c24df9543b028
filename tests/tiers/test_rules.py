"""The bound rules of all families give what each reason's own conditions give for one customer at a time."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiercast.tiers import conditions, families, rules
from tiercast.tiers.conditions import Condition
from tiercast.tiers.families import Reason

COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}
CONDITIONS = [one for f in families.FAMILIES for reason in (*f.risk, *f.loyalty) for one in reason.when]
FEATURES = sorted(
    {conditions.in_window(name, 90) for one in CONDITIONS for name in (one.feature, one.times)} - {"", "typical", "90"}
)
BY_NAME = {family.name: family for family in families.FAMILIES}
number = st.sampled_from([float("nan"), -1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 30.0, 90.0, 180.0, 365.0])
customers = st.lists(st.tuples(*[number] * len(FEATURES)), min_size=1, max_size=6)


def is_true(reason: Reason, known: dict[str, float], typical: dict[str, float]) -> bool:
    def holds(one: Condition) -> bool:
        scales = {"": 1.0, "<w>": 90.0, "typical": typical.get(one.feature, np.nan)}
        scale = scales[one.times] if one.times in scales else known.get(conditions.in_window(one.times, 90), np.nan)
        return bool(COMPARE[one.op](known.get(conditions.in_window(one.feature, 90), np.nan), one.bound * scale))

    return all(holds(one) for one in reason.when)


def first_true(reasons: tuple[Reason, ...], known: dict[str, float], typical: dict[str, float]) -> str | None:
    return next((reason.code for reason in reasons if is_true(reason, known, typical)), None)


@pytest.mark.parametrize("typical", [{}, {"order_value_mean": 2.0}], ids=str)
@given(rows=customers, missing=st.sets(st.sampled_from(FEATURES), max_size=4), is_left_out=st.booleans())
def test_every_family_gives_its_first_reason_that_is_true(
    typical: dict[str, float], rows: list[tuple[float, ...]], missing: set[str], is_left_out: bool
) -> None:
    columns = {name: column for name, column in zip(FEATURES, np.array(rows).T, strict=True) if name not in missing}
    names = tuple(name for name in families.NAMES if not (is_left_out and name in ("profile", "season")))
    # the reference window is read from these names, so one of them is always there
    columns |= {"n_orders_90d": columns.get("n_orders_90d", np.full(len(rows), np.nan))}
    bound = rules.bind(tuple(columns), names, tuple(typical.items()))
    found = rules.true_reasons(bound, columns, len(rows))
    for row in range(len(rows)):
        known = {name: float(column[row]) for name, column in columns.items()}
        for place, name in enumerate(names):
            family = BY_NAME[name]
            for codes, reasons in ((found.risk, family.risk), (found.loyalty, family.loyalty)):
                code = None if codes[place, row] == rules.NONE else families.CODES[codes[place, row]]
                assert code == first_true(reasons, known, typical), name
        assert found.is_prospect[row] == (known.get("n_orders") == 0)


def test_a_comparison_that_several_reasons_share_is_evaluated_once() -> None:
    found = rules.bind(tuple(FEATURES), families.NAMES, ()).comparisons
    assert len(found) == len(set(found)) < len(CONDITIONS)
