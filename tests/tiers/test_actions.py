from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tiercast.contract import errors
from tiercast.tiers import actions, families, grid


def chosen(tier: str, reason: str, playbook: actions.Playbook = actions.PLAYBOOK) -> str:
    return str(actions.choose(np.array([tier]), np.array([reason]), playbook)[0])


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
    tiers = np.repeat(np.array(grid.TIERS), len(families.CODES))
    codes = np.tile(np.array(families.CODES), len(grid.TIERS))
    assert set(actions.choose(tiers, codes).tolist()) == set(actions.ACTIONS)


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


def test_arrow_codes_and_nulls_are_taken_as_they_come() -> None:
    codes = pa.chunked_array([pa.array(["complained", None]), pa.array(["not_a_code"])])
    found = actions.choose(np.array(["B", "B", "B"]), codes)
    assert found.tolist() == ["resolve_problem", "personal_call", "personal_call"]
