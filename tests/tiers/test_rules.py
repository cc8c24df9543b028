"""All families' conditions together say what each reason's own conditions say, read for one customer at a time."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiercast.tiers import facts, families, rules
from tiercast.tiers.families import Reason

COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}
ASKED = [fact for f in families.FAMILIES for reason in (*f.risk, *f.loyalty) for fact in reason.when]
FEATURES = sorted(
    {facts.in_window(name, 90) for fact in ASKED for name in (fact.feature, fact.of)} - {"", "typical", "90"}
)
number = st.sampled_from([float("nan"), -1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 30.0, 90.0, 180.0, 365.0])
customers = st.lists(st.tuples(*[number] * len(FEATURES)), min_size=1, max_size=6)


def is_true(reason: Reason, known: dict[str, float], typical: dict[str, float]) -> bool:
    def holds(fact: facts.Fact) -> bool:
        scales = {"": 1.0, "<w>": 90.0, "typical": typical.get(fact.feature, np.nan)}
        scale = scales[fact.of] if fact.of in scales else known.get(facts.in_window(fact.of, 90), np.nan)
        return bool(COMPARE[fact.op](known.get(facts.in_window(fact.feature, 90), np.nan), fact.bound * scale))

    return all(holds(fact) for fact in reason.when)


def first_true(reasons: tuple[Reason, ...], known: dict[str, float], typical: dict[str, float]) -> str | None:
    return next((reason.code for reason in reasons if is_true(reason, known, typical)), None)


@pytest.mark.parametrize("typical", [{}, {"order_value_mean": 2.0}], ids=str)
@given(rows=customers, missing=st.sets(st.sampled_from(FEATURES), max_size=4), silent=st.booleans())
def test_every_family_says_its_first_reason_that_is_true(
    typical: dict[str, float], rows: list[tuple[float, ...]], missing: set[str], silent: bool
) -> None:
    columns = {name: column for name, column in zip(FEATURES, np.array(rows).T, strict=True) if name not in missing}
    told = tuple(name for name in families.POSITION if not (silent and name in ("profile", "season")))
    # the window is known by the features that carry it, and one of them always does
    columns |= {"n_orders_90d": columns.get("n_orders_90d", np.full(len(rows), np.nan))}
    known_rules = rules.of(tuple(columns), told, tuple(typical.items()))
    found = rules.readings(known_rules, columns, len(rows))
    for row in range(len(rows)):
        known = {name: float(column[row]) for name, column in columns.items()}
        for place, name in enumerate(told):
            family = families.FAMILIES[families.POSITION[name]]
            for codes, reasons in ((found.risk, family.risk), (found.loyalty, family.loyalty)):
                said = None if codes[place, row] == rules.NONE else families.CODES[codes[place, row]]
                assert said == first_true(reasons, known, typical), name
        assert found.is_prospect[row] == (known.get("n_orders") == 0)


def test_a_condition_that_several_reasons_share_is_asked_once() -> None:
    found = rules.of(tuple(FEATURES), tuple(families.POSITION), ()).comparisons
    assert len(found) == len(set(found)) < len(ASKED)
