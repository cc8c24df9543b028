"""The text of each reason code, in English and Chinese.

`full` contains the customer's own numbers; `plain` needs none.
A placeholder is a feature name, `<w>` the reference window in days. After the colon:
a word counts it ("1 day", "74 days"), `money` writes the currency,
`fewer`/`more` drop the sign, nothing rounds to a whole number.
"""

from __future__ import annotations

from typing import NamedTuple

from tiercast.tiers.languages import Language


class Wording(NamedTuple):
    full: str
    plain: str


_SILENT = "silent for {silence_days:day}; usual gap {gap_mean_days}"
_SILENT_ZH = "已 {silence_days} 天未下单，平时约 {gap_mean_days} 天一单"
_WINDOWS_EN = "{n_orders_<w>d:order} in the last <w> days, "
_WINDOWS_ZH = "近 <w> 天下单 {n_orders_<w>d} 次，比前 <w> 天"
_SPENT_EN = "{spend_<w>d:money} in the last <w> days, of {spend_<2w>d:money} in the last <2w>"
_SPENT_ZH = "近 <2w> 天消费 {spend_<2w>d:money}，其中近 <w> 天 {spend_<w>d:money}"
_GAPS_EN = "gaps between orders: {gap_mean_days:day} on average, give or take {gap_sd_days}"
_GAPS_ZH = "平均 {gap_mean_days} 天一单，上下浮动约 {gap_sd_days} 天"


def _text(en: str, plain_en: str, zh: str, plain_zh: str) -> dict[Language, Wording]:
    return {"en": Wording(en, plain_en), "zh": Wording(zh, plain_zh)}


def _same(en: str, zh: str) -> dict[Language, Wording]:
    """A text without numbers."""
    return _text(en, en, zh, zh)


REASON_TEXTS: dict[str, dict[Language, Wording]] = {
    "never_ordered": _text(
        "known, but has never ordered", "known, but has never ordered", "已有登记，尚未下单", "已有登记，尚未下单"
    ),
    "silent_5x_usual_gap": _text(
        _SILENT, "silent for 5 usual gaps or more", _SILENT_ZH, "未下单的时间已达平时间隔的 5 倍以上"
    ),
    "silent_3x_usual_gap": _text(
        _SILENT, "silent for 3 usual gaps or more", _SILENT_ZH, "未下单的时间已达平时间隔的 3 倍以上"
    ),
    "silent_2x_usual_gap": _text(
        _SILENT, "silent for 2 usual gaps or more", _SILENT_ZH, "未下单的时间已达平时间隔的 2 倍以上"
    ),
    "past_usual_gap": _text(
        "overdue: last order {silence_days:day} ago; usual gap {gap_mean_days}",
        "the next order is overdue",
        "已 {silence_days} 天未下单，超出平时约 {gap_mean_days} 天的间隔",
        "已超出平时的下单间隔",
    ),
    "silent_long": _text(
        "ordered once, {silence_days:day} ago",
        "ordered once, three months ago or longer",
        "仅下过一单，已是 {silence_days} 天前",
        "仅下过一单，且已过去三个月以上",
    ),
    "silent_past_limit": _text(
        "silent for {silence_days:day}: hardly anyone comes back after that long",
        "silent so long that hardly anyone comes back",
        "已 {silence_days} 天未下单：沉默这么久的客户很少再回来",
        "沉默过久，很少有这样的客户再回来",
    ),
    "ordered_recently": _text(
        "ordered {silence_days:day} ago",
        "ordered within the last 30 days",
        "{silence_days} 天前刚下过单",
        "近 30 天内下过单",
    ),
    "within_usual_gap": _text(
        "last order {silence_days:day} ago, within the usual gap of {gap_mean_days}",
        "silent no longer than usual",
        "距上次下单 {silence_days} 天，未超过平时的 {gap_mean_days} 天",
        "仍在平时的下单间隔之内",
    ),
    "one_order_only": _text("has ordered only once", "has ordered only once", "至今只下过一单", "至今只下过一单"),
    "rare_buyer": _text(
        "rarely orders: {n_orders:order} in {age_days:day}",
        "rarely orders",
        "下单不多：{age_days} 天内 {n_orders} 次",
        "很少下单",
    ),
    "long_gaps": _text(
        "long gaps between orders: {gap_mean_days:day} on average",
        "long gaps between orders",
        "下单间隔较长：平均 {gap_mean_days} 天一单",
        "下单间隔较长",
    ),
    "frequent_buyer": _text(
        "orders often: {n_orders:order}, every {gap_mean_days:day} on average",
        "orders often",
        "经常下单：共 {n_orders} 次，平均 {gap_mean_days} 天一次",
        "经常下单",
    ),
    "short_gaps": _text(
        "short gaps between orders: {gap_mean_days:day} on average",
        "short gaps between orders",
        "下单间隔较短：平均 {gap_mean_days} 天一单",
        "下单间隔较短",
    ),
    "orders_falling": _text(
        _WINDOWS_EN + "{orders_trend_<w>d:fewer} fewer than in the <w> before",
        "orders less often than before",
        _WINDOWS_ZH + "少 {orders_trend_<w>d:fewer} 次",
        "下单次数在减少",
    ),
    "orders_rising": _text(
        _WINDOWS_EN + "{orders_trend_<w>d:more} more than in the <w> before",
        "orders more often than before",
        _WINDOWS_ZH + "多 {orders_trend_<w>d:more} 次",
        "下单次数在增加",
    ),
    "active_lately": _text(
        "{n_orders_<w>d:order} in the last <w> days",
        "has ordered several times lately",
        "近 <w> 天下单 {n_orders_<w>d} 次",
        "近期多次下单",
    ),
    "spend_falling": _text(
        "spends less: " + _SPENT_EN, "spends less than before", "消费在减少：" + _SPENT_ZH, "消费金额在减少"
    ),
    "spend_rising": _text(
        "spends more: " + _SPENT_EN, "spends more than before", "消费在增加：" + _SPENT_ZH, "消费金额在增加"
    ),
    "low_order_value": _text(
        "small orders: {order_value_mean:money} on average",
        "small orders",
        "客单价较低：平均每单 {order_value_mean:money}",
        "客单价较低",
    ),
    "high_order_value": _text(
        "large orders: {order_value_mean:money} on average",
        "large orders",
        "客单价较高：平均每单 {order_value_mean:money}",
        "客单价较高",
    ),
    "skipped_this_season_last_year": _text(
        "did not order at this time last year",
        "did not order at this time last year",
        "去年同期没有下单",
        "去年同期没有下单",
    ),
    "bought_this_season_last_year": _text(
        "ordered at this time last year: {n_orders_last_year:order}",
        "ordered at this time last year",
        "去年同期下过 {n_orders_last_year} 单",
        "去年同期下过单",
    ),
    "irregular_buyer": _text(
        "orders irregularly; " + _GAPS_EN, "orders irregularly", "下单不规律：" + _GAPS_ZH, "下单不规律"
    ),
    "regular_buyer": _text(
        "orders regularly; " + _GAPS_EN, "orders regularly", "下单很规律：" + _GAPS_ZH, "下单很规律"
    ),
    "new_customer": _text(
        "new: first order {age_days:day} ago",
        "a new customer, first order within the last 90 days",
        "新客户：首单在 {age_days} 天前",
        "新客户，首单在近 90 天内",
    ),
    "long_standing": _text(
        "a customer for {age_days:day}, {n_orders:order}",
        "a customer for a year or longer",
        "老客户：{age_days} 天来下单 {n_orders} 次",
        "一年以上的老客户",
    ),
    "narrow_range": _text(
        "buys few kinds of products",
        "buys few kinds of products",
        "购买的商品种类很少",
        "购买的商品种类很少",
    ),
    "broad_range": _text(
        "buys many kinds of products", "buys many kinds of products", "购买的商品种类丰富", "购买的商品种类丰富"
    ),
    "many_refunds": _text("{n_refunds:refund} so far", "several refunds", "已退款 {n_refunds} 次", "多次退款"),
    "complained": _text("{n_complaint:complaint} so far", "has complained", "投诉过 {n_complaint} 次", "有过投诉"),
    "needed_support": _text(
        "needed support: {n_support:contact}", "needed support", "联系客服 {n_support} 次", "曾联系客服求助"
    ),
    "no_recent_visits": _text(
        "last visit {visit_last_days:day} ago",
        "no visit in the last 60 days",
        "上次来访是 {visit_last_days} 天前",
        "近 60 天没有来访",
    ),
    "visited_recently": _text(
        "visited {visit_last_days:day} ago",
        "visited within the last 30 days",
        "{visit_last_days} 天前来访过",
        "近 30 天内来访过",
    ),
    "campaign_response": _text(
        "ordered {silence_days:day} ago, after a campaign contact {campaign_last_days:day} ago",
        "ordered after the last campaign contact",
        "{campaign_last_days} 天前有过营销活动联系，之后在 {silence_days} 天前下单",
        "最近一次营销活动联系之后下过单",
    ),
    "referred_others": _text(
        "{n_referral:referral} so far", "has referred others", "推荐过新客户 {n_referral} 次", "推荐过其他客户"
    ),
    "gave_feedback": _text("has given feedback", "has given feedback", "曾留下评价或反馈", "曾留下评价或反馈"),
    "customer_profile_risk": _text(
        "customers with this profile leave more often",
        "customers with this profile leave more often",
        "同类客户更容易流失",
        "同类客户更容易流失",
    ),
    "customer_profile_loyal": _text(
        "customers with this profile stay more often",
        "customers with this profile stay more often",
        "同类客户更愿意留下",
        "同类客户更愿意留下",
    ),
    "history_pattern_risk": _text(
        "the pattern of past orders points to leaving",
        "the pattern of past orders points to leaving",
        "从以往下单的节奏看，可能流失",
        "从以往下单的节奏看，可能流失",
    ),
    "history_pattern_loyal": _text(
        "the pattern of past orders points to staying",
        "the pattern of past orders points to staying",
        "从以往下单的节奏看，会继续购买",
        "从以往下单的节奏看，会继续购买",
    ),
    "overall_risk": _same("no single reason; overall, more points to leaving", "无单一原因，总体上更可能流失"),
    "overall_loyal": _same("no single reason; overall, more points to staying", "无单一原因，总体上更可能留下"),
    "high_value_many_orders": _same("high value through the number of expected orders", "价值高：预计下单次数较多"),
    "high_value_large_orders": _text(
        "high value through the expected size of orders; so far {order_value_mean:money} on average",
        "high value through the expected size of orders",
        "价值高：预计客单价较高，至今平均每单 {order_value_mean:money}",
        "价值高：预计客单价较高",
    ),
    "low_value_few_orders": _same("lower value: few orders expected", "价值较低：预计下单较少"),
    "low_value_small_orders": _text(
        "lower value: small orders expected; so far {order_value_mean:money} on average",
        "lower value: small orders expected",
        "价值较低：预计客单价较低，至今平均每单 {order_value_mean:money}",
        "价值较低：预计客单价较低",
    ),
    "low_value_one_order": _same("lower value: no second order yet", "价值较低：尚无第二单"),
}
