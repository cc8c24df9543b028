from __future__ import annotations

import re

import pytest

from tests.tiers.test_families import KNOWN
from tiercast.contract import errors
from tiercast.tiers import (
    actions,
    conditions,
    families,
    grid,
    reason_texts,
    texts,
)
from tiercast.tiers.languages import Language

BOTH: tuple[Language, Language] = ("en", "zh")
HAN = re.compile(r"[\u4e00-\u9fff]")


def test_every_reason_action_and_tier_has_its_texts_in_both_languages() -> None:
    assert set(reason_texts.REASON_TEXTS) == set(families.CODES)
    assert set(texts.TIER_TEXTS) == set(grid.TIERS)
    for table in (reason_texts.REASON_TEXTS, texts.TIER_TEXTS, actions.ACTIONS):
        assert all(set(row) == set(BOTH) for row in table.values())


def test_chinese_texts_are_chinese_and_english_texts_are_not() -> None:
    for table in (reason_texts.REASON_TEXTS, texts.TIER_TEXTS):
        for row in table.values():
            assert all(HAN.search(part) for part in row["zh"])
            assert not any(HAN.search(part) for part in row["en"])


def test_every_placeholder_is_a_known_feature() -> None:
    for code, row in reason_texts.REASON_TEXTS.items():
        for wording in row.values():
            full = conditions.in_window(wording.full, 90)
            assert {match["feature"] for match in texts.PLACEHOLDER.finditer(full)} <= set(KNOWN), code
            assert "{" not in texts.PLACEHOLDER.sub("", full), code
            assert not re.search(r"[{}<>]", wording.plain), code


@pytest.mark.parametrize("lang", BOTH)
@pytest.mark.parametrize("code", families.CODES)
def test_a_text_with_all_its_numbers_leaves_nothing_open(code: str, lang: Language) -> None:
    said = texts.render(code, dict.fromkeys(KNOWN, 3.0), lang, "GBP")
    assert not re.search(r"[{}<>]", said)
    assert len(said) <= 90


def test_a_silent_customer_is_described_with_their_own_numbers() -> None:
    known = {"silence_days": 74.0, "gap_mean_days": 12.2}
    assert texts.render("silent_5x_usual_gap", known) == "silent for 74 days; usual gap 12"
    assert texts.render("silent_5x_usual_gap", known, "zh") == "已 74 天未下单，平时约 12 天一单"


def test_one_is_singular() -> None:
    assert texts.render("ordered_recently", {"silence_days": 1.0}) == "ordered 1 day ago"
    assert texts.render("many_refunds", {"n_refunds": 2.0}) == "2 refunds so far"


def test_money_is_written_with_its_currency() -> None:
    known = {"order_value_mean": 1234.5}
    assert texts.render("high_order_value", known, "en", "GBP") == "large orders: 1,234.50 GBP on average"
    assert texts.render("high_order_value", known, "zh", "CNY") == "客单价较高：平均每单 1,234.50 CNY"


def test_a_trend_is_told_for_the_window_the_table_has() -> None:
    known = {"n_orders_84d": 1.0, "orders_trend_84d": -2.0}
    assert texts.render("orders_falling", known) == "1 order in the last 84 days, 2 fewer than in the 84 before"
    assert texts.render("orders_falling", known, "zh") == "近 84 天下单 1 次，比前 84 天少 2 次"


def test_where_a_number_is_missing_the_plain_wording_is_used() -> None:
    assert texts.render("silent_3x_usual_gap", {"silence_days": 74.0}) == "silent for 3 usual gaps or more"
    assert texts.render("ordered_recently", {"silence_days": float("nan")}) == "ordered within the last 30 days"


def test_an_unknown_code_or_language_is_refused_with_what_there_is() -> None:
    for call in (lambda: texts.render("zodiac", {}), lambda: texts.tier("G"), lambda: texts.action("shout")):
        with pytest.raises(errors.BadInput, match="there is no such"):
            call()
    with pytest.raises(errors.BadInput, match="no such language"):
        texts.tier("A", "fr")  # type: ignore[arg-type]


def test_tiers_and_actions_speak_both_languages() -> None:
    assert texts.tier("A").name == "top: keep"
    assert texts.tier("F", "zh").name == "潜在客户：争取首单"
    assert texts.action("let_rest", "zh") == "暂不打扰，不再投入。"


def test_many_are_told_as_each_alone_and_who_lacks_a_number_without_it() -> None:
    days, gaps = [74.0, 1.0, float("nan"), 1234.4, -0.2], [12.2, 0.5, 3.0, float("inf"), 1.5]
    said = texts.phrase("silent_5x_usual_gap", "en", 90).fill_each([days, gaps], 5, "")
    plain = "silent for 5 usual gaps or more"
    told = ["silent for 74 days; usual gap 12", "silent for 1 day; usual gap 0", "silent for -0 days; usual gap 2"]
    assert said == [*told[:2], plain, plain, told[2]]
    known = ({"silence_days": day, "gap_mean_days": gap} for day, gap in zip(days, gaps, strict=True))
    assert said == [texts.render("silent_5x_usual_gap", each) for each in known]
    assert texts.phrase("never_ordered", "en", 90).fill_each([], 2, "") == ["known, but has never ordered"] * 2
