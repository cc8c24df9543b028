from __future__ import annotations

import numpy as np
import pytest

from tiercast.contract import errors
from tiercast.tiers import actions, families, grid
from tiercast.tiers.rules import CODE, NONE


def chosen(tier: str, reason: str, playbook: actions.Playbook = actions.PLAYBOOK) -> str:
    leading = np.array([CODE.get(reason, NONE)], np.int16)
    return actions.table(playbook)[int(actions.cells(grid.numbers(np.array([tier])), leading)[0])]


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


def test_a_code_beats_its_family_and_a_family_beats_the_default() -> None:
    book = actions.load({"B": {"default": "let_rest", "silence": "check_in", "silent_long": "cross_sell"}})
    assert chosen("B", "silent_long", book) == "cross_sell"
    assert chosen("B", "past_usual_gap", book) == "check_in"
    assert chosen("B", "complained", book) == "let_rest"


def test_a_tier_without_a_default_adds_to_ours() -> None:
    book = actions.load({"B": {"complaints": "personal_call"}})
    assert chosen("B", "complained", book) == "personal_call"
    assert chosen("B", "spend_falling", book) == "win_back_offer"


def test_our_own_playbook_passes_its_own_check_and_covers_every_pair() -> None:
    assert actions.load(actions.PLAYBOOK) == actions.PLAYBOOK
    assert {chosen(tier, code) for tier in grid.TIERS for code in families.CODES} == set(actions.ACTIONS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"G": {"default": "let_rest"}}, "unknown tier"),
        ({"B": {"moon": "let_rest"}}, "unknown key of tier B"),
        ({"B": {"default": "shout"}}, "unknown action of tier B"),
    ],
)
def test_a_playbook_with_an_unknown_word_is_refused(settings: actions.Playbook, message: str) -> None:
    with pytest.raises(errors.BadInput, match=message):
        actions.load(settings)


def test_many_customers_get_the_actions_that_each_gets_alone() -> None:
    tiers, leading = np.array(["B", "F", "B", "C"]), np.array([CODE["complained"], NONE, NONE, CODE["new_customer"]])
    found = [actions.table()[cell] for cell in actions.cells(grid.numbers(tiers), leading.astype(np.int16))]
    assert found == ["resolve_problem", "first_order_offer", "personal_call", "second_order_offer"]
