"""Amounts as people and programs write them: $1,234.50, 1 234.50 €, (30.22), 30.22-.

A blank and an apostrophe between groups of three digits never mean anything else. A comma or a dot can mean two
things: the caller says which sign is the decimal one, and which may stand between groups ("" for none).
"""

from __future__ import annotations

import re

import ibis
from ibis.expr import types as ir

CURRENCIES = {"$": "$", "€": "€", "£": "£", "¥": "¥￥元", "₹": "₹", "₩": "₩", "₽": "₽"}
BLANK = "[ \u00a0\u2007\u2009\u202f]"
SIGN = f"[{''.join(CURRENCIES.values())}]"
MINUS = "-\u2212"
NEGATIVE = rf"[{MINUS}(]"
LAKHS = "[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}"  # 1,23,456 as in India
BETWEEN = (BLANK, "['\u2019]")


def _signed(body: str) -> str:
    """The number with at most one mark of a negative one, before, behind or around it, and a currency's sign."""
    b, c = f"{BLANK}*", f"{SIGN}?"
    before = f"[+{MINUS}]?{b}{c}|{c}{b}[+{MINUS}]?"
    behind = f"{c}{b}{body}{b}{c}{b}[{MINUS}]"
    around = rf"\({b}{c}{b}{body}{b}{c}{b}\)|{c}{b}\({b}{body}{b}\)"
    return f"^{b}(?:(?:{before}){b}{body}{b}{c}|{behind}|{around}){b}$"


def _body(decimal: str, thousands: str) -> str:
    signs = [*BETWEEN, *([re.escape(thousands)] if thousands else [])]
    groups = "|".join(
        [*(f"[0-9]{{1,3}}(?:{sign}[0-9]{{3}})+" for sign in signs), *([LAKHS] if thousands == "," else [])]
    )
    point = re.escape(decimal)
    return f"(?:(?:[0-9]+|{groups})(?:{point}[0-9]*)?|{point}[0-9]+)"


def fits(text: ir.Value, decimal: str, thousands: str) -> ir.BooleanValue:
    """Whether the text is an amount, written with these two signs."""
    return text.re_search(_signed(_body(decimal, thousands)))


def is_like_one(text: ir.Value) -> ir.BooleanValue:
    """Whether the text has the parts of an amount, whatever its dots and commas mean."""
    return text.re_search(_signed("[0-9.,][0-9.,'\u2019 \u00a0\u2007\u2009\u202f]*"))


def digits(text: ir.Value) -> ir.Value:
    """Only the digits, dots and commas."""
    return text.re_replace("[^0-9.,]", "")


def as_number(text: ir.Value, decimal: str, thousands: str) -> ir.Value:
    """The amount as the text of a plain number, 12.50 or -12.50; null where it does not fit."""
    plain = text.re_replace(f"[^0-9{re.escape(decimal)}]", "").replace(decimal, ".")
    signed = ibis.ifelse(text.re_search(NEGATIVE), ibis.literal("-") + plain, plain)
    return ibis.ifelse(fits(text, decimal, thousands), signed, ibis.null("string"))
