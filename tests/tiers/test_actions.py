from __future__ import annotations

import numpy as np
import pytest

from tiercast.tiers import actions, families, grid
from tiercast.tiers.rules import CODE, NONE


def chosen(tier: str, reason: str, playbook: actions.Playbook = actions.PLAYBOOK) -> str:
    reasons = np.array([[CODE.get(reason, NONE), NONE, NONE]], np.int16)
    cells = actions.cells(grid.numbers(np.array([tier])), reasons, actions.entries(playbook))
    return actions.table(playbook)[int(cells[0])]


@pytest.mark.parametrize(
    ("tier", "action"),
    [
        ("A", "thank_and_keep"),
        ("B", "personal_call"),
        ("C", "cross_sell"),
        ("D", "automated_reminder"),
        ("E", "let_rest"),
        ("F", "first_order_offer"),
    ],
)
def test_every_tier_has_an_action_of_its_own_when_nothing_is_known(tier: str, action: str) -> None:
    assert chosen(tier, "") == action


def test_the_leading_reason_refines_the_action() -> None:
    assert chosen("B", "complained") == "resolve_problem"
    assert chosen("B", "spend_falling") == "win_back_offer"
    assert chosen("C", "one_order_only") == "second_order_offer"


def test_the_first_reason_with_an_entry_decides() -> None:
    reasons = [["silent_long", "many_refunds", "spend_falling"], ["silent_long", "spend_falling", "many_refunds"]]
    codes = np.array([[CODE[code] for code in row] for row in reasons], np.int16)
    found = [actions.TABLE[cell] for cell in actions.cells(grid.numbers(np.array(["B", "B"])), codes)]
    assert found == ["resolve_problem", "win_back_offer"]


def test_a_code_beats_its_family_and_a_family_beats_the_default() -> None:
    book = actions.PLAYBOOK | {"B": {"default": "let_rest", "silence": "check_in", "silent_long": "cross_sell"}}
    assert chosen("B", "silent_long", book) == "cross_sell"
    assert chosen("B", "past_usual_gap", book) == "check_in"
    assert chosen("B", "complained", book) == "let_rest"


def test_the_playbook_names_only_what_exists_and_covers_every_pair() -> None:
    assert tuple(actions.PLAYBOOK) == grid.TIERS
    for entries in actions.PLAYBOOK.values():
        assert set(entries) <= {actions.DEFAULT, *families.NAMES, *families.CODES}
        assert set(entries.values()) <= set(actions.ACTIONS)
    assert {chosen(tier, code) for tier in grid.TIERS for code in families.CODES} == set(actions.ACTIONS) - {"withheld"}


def test_a_weak_model_gets_no_actions_but_for_prospects() -> None:
    codes = (*families.CODES, "")
    by_tier = np.array(actions.WITHHELD).reshape(len(grid.TIERS), len(codes))
    assert {tier: set(row) for tier, row in zip(grid.TIERS, by_tier.tolist(), strict=True)} == {
        **{tier: {"withheld"} for tier in "ABCDE"},
        "F": {"first_order_offer"},
    }


def test_many_customers_get_the_actions_that_each_gets_alone() -> None:
    tiers, leading = np.array(["B", "F", "B", "C"]), np.array([CODE["complained"], NONE, NONE, CODE["new_customer"]])
    found = [actions.TABLE[cell] for cell in actions.cells(grid.numbers(tiers), leading.astype(np.int16)[:, None])]
    assert found == ["resolve_problem", "first_order_offer", "personal_call", "second_order_offer"]
