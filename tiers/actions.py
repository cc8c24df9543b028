"""Playbooks: the next action for a customer, by tier and leading reason.

A playbook maps each tier to actions by reason code, by reason family, or `default`; the most specific entry wins.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tiercast.tiers import families, grid
from tiercast.tiers.languages import Language
from tiercast.tiers.rules import NONE, Codes

DEFAULT = "default"


def _text(en: str, zh: str) -> dict[Language, str]:
    return {"en": en, "zh": zh}


ACTIONS: dict[str, dict[Language, str]] = {
    "thank_and_keep": _text(
        "Say thank you; keep service first-rate, no discount needed.", "表达感谢，维持优质服务，无需打折。"
    ),
    "check_in": _text("Get in touch without selling: ask how things are going.", "主动问候，了解近况，先不推销。"),
    "personal_call": _text("Call in person within the week.", "本周内由专人致电。"),
    "win_back_offer": _text("Make a personal win-back offer.", "提供专属挽回优惠。"),
    "resolve_problem": _text("Solve the open problem before offering anything.", "先解决客户的问题，再谈优惠。"),
    "second_order_offer": _text("Invite to a second order with a small offer.", "用小额优惠促成第二次下单。"),
    "cross_sell": _text("Suggest products that go with what they already buy.", "根据已购商品推荐搭配产品。"),
    "automated_reminder": _text("Send an automated reminder.", "发送自动提醒。"),
    "seasonal_invitation": _text("Invite for the season they bought in last year.", "趁去年下单的同一时节发出邀请。"),
    "low_cost_reactivation": _text(
        "Try once more at low cost, for example by e-mail.", "以低成本方式（如邮件）再尝试一次。"
    ),
    "let_rest": _text("Leave in peace; spend nothing.", "暂不打扰，不再投入。"),
    "first_order_offer": _text("Make an offer for the first order.", "提供首单优惠。"),
}

Playbook = Mapping[str, Mapping[str, str]]
PLAYBOOK: dict[str, dict[str, str]] = {
    "A": {DEFAULT: "thank_and_keep", "past_usual_gap": "check_in", "complaints": "resolve_problem"},
    "B": {
        DEFAULT: "personal_call",
        "activity": "win_back_offer",
        "spend": "win_back_offer",
        "order_value": "win_back_offer",
        "bought_this_season_last_year": "seasonal_invitation",
        "refunds": "resolve_problem",
        "complaints": "resolve_problem",
        "support": "resolve_problem",
    },
    "C": {
        DEFAULT: "cross_sell",
        "one_order_only": "second_order_offer",
        "new_customer": "second_order_offer",
        "complaints": "resolve_problem",
    },
    "D": {
        DEFAULT: "automated_reminder",
        "one_order_only": "second_order_offer",
        "new_customer": "second_order_offer",
        "complaints": "resolve_problem",
    },
    "E": {
        DEFAULT: "let_rest",
        "bought_this_season_last_year": "seasonal_invitation",
        "visited_recently": "low_cost_reactivation",
        "campaign_response": "low_cost_reactivation",
        "frequent_buyer": "low_cost_reactivation",
    },
    "F": {DEFAULT: "first_order_offer"},
}


def table(playbook: Playbook) -> tuple[str, ...]:
    """The action of every tier and leading reason, tier by tier; each tier ends with its action without a reason."""
    return tuple(_action(playbook[tier], code) for tier in grid.TIERS for code in (*families.CODES, ""))


def _action(entries: Mapping[str, str], code: str) -> str:
    family = families.BY_CODE[code][0] if code in families.BY_CODE else ""
    return entries.get(code) or entries.get(family) or entries[DEFAULT]


TABLE = table(PLAYBOOK)


def cells(tier_numbers: NDArray[np.intp], leading: Codes) -> NDArray[np.intp]:
    """Each customer's place in `TABLE`, from `grid.numbers` and the leading reason's code (-1: none).

    >>> from tiercast.tiers.rules import CODE, NONE
    >>> tiers, leading = np.array(["B", "B", "F"]), np.array([CODE["complained"], NONE, CODE["never_ordered"]])
    >>> np.array(TABLE)[cells(grid.numbers(tiers), leading)].tolist()
    ['resolve_problem', 'personal_call', 'first_order_offer']
    """
    column = np.where(leading == NONE, len(families.CODES), leading)
    return tier_numbers * (len(families.CODES) + 1) + column
