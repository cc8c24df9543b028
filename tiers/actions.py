"""Playbooks: the next action for a customer, by tier and reasons.

A playbook maps each tier to actions by reason code, by reason family, or `default`. The first of a customer's reasons
that has an entry decides, by its code before its family; without one it is the default.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Mask
from tiercast.tiers import families, grid
from tiercast.tiers.languages import Language
from tiercast.tiers.rules import Codes

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
    "withheld": _text(
        "No action: the model is no better than a plain rule. Ask those who trained it.",
        "暂无建议：模型不优于简单规则，请联系训练模型的同事。",
    ),
}

Playbook = Mapping[str, Mapping[str, str]]
PLAYBOOK: dict[str, dict[str, str]] = {
    "A": {DEFAULT: "thank_and_keep", "past_usual_gap": "check_in", "complaints": "resolve_problem"},
    "B": {
        DEFAULT: "personal_call",
        "orders_falling": "win_back_offer",
        "spend_falling": "win_back_offer",
        "low_order_value": "win_back_offer",
        "bought_this_season_last_year": "seasonal_invitation",
        "refunds": "resolve_problem",
        "complaints": "resolve_problem",
        "support": "resolve_problem",
    },
    "C": {
        DEFAULT: "cross_sell",
        "one_order_only": "second_order_offer",
        "low_value_one_order": "second_order_offer",
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
        "high_value_many_orders": "low_cost_reactivation",
        "high_value_large_orders": "low_cost_reactivation",
    },
    "F": {DEFAULT: "first_order_offer"},
}


def table(playbook: Playbook) -> tuple[str, ...]:
    """The action of every tier and deciding reason, tier by tier; each tier ends with its default."""
    codes = (*families.CODES, "")
    return tuple(_entry(playbook[tier], code) or playbook[tier][DEFAULT] for tier in grid.TIERS for code in codes)


def _entry(entries: Mapping[str, str], code: str) -> str | None:
    """The action for a reason, None where the playbook has none for it."""
    family = families.BY_CODE[code][0] if code in families.BY_CODE else ""
    return entries.get(code) or entries.get(family)


def entries(playbook: Playbook) -> Mask:
    """Whether a tier has an entry for a reason: shape (tiers, codes + 1), the last column for no reason."""
    codes = (*families.CODES, "")
    return np.array([[_entry(playbook[tier], code) is not None for code in codes] for tier in grid.TIERS])


TABLE, ENTRIES = table(PLAYBOOK), entries(PLAYBOOK)
WITHHELD = table({**{tier: {DEFAULT: "withheld"} for tier in PLAYBOOK}, "F": PLAYBOOK["F"]})
"""`TABLE` for scores of a model with grade D. A prospect's action needs no model."""
_NO_CODE = len(families.CODES)


def cells(tier_numbers: NDArray[np.intp], reasons: Codes, entries: Mask = ENTRIES) -> NDArray[np.intp]:
    """Each customer's place in `table`, from `grid.numbers` and their reasons: shape (customers, places), -1 for none.

    >>> from tiercast.tiers.rules import CODE, NONE
    >>> silent, complained = CODE["silent_3x_usual_gap"], CODE["complained"]
    >>> tiers, reasons = np.array(["B", "B", "F"]), np.array([[silent, complained], [silent, NONE], [NONE, NONE]])
    >>> np.array(TABLE)[cells(grid.numbers(tiers), reasons)].tolist()
    ['resolve_problem', 'personal_call', 'first_order_offer']
    """
    has_entry = entries[tier_numbers[:, np.newaxis], reasons]  # -1 is the last column, without an entry
    first = reasons[np.arange(len(reasons)), has_entry.argmax(axis=1)]
    return tier_numbers * (_NO_CODE + 1) + np.where(has_entry.any(axis=1), first, _NO_CODE)
