"""Decide from all amounts of a column whether a comma or a dot marks decimals, or refuse the column.

`1,234.50`, `1,234,567` and `12.50` show that the dot marks decimals; `1.234,50`, `1.234.567` and `12,50` that the comma
does. `1.234` and `1,234` alone show nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import ibis
from ibis.expr import types as ir

from tiercast.contract import errors
from tiercast.features.reading.dialect import Dialect
from tiercast.features.reading.forms import amounts

SHOWN = (
    r"^(?:[0-9]+{other})+[0-9]+{sign}[0-9]*$"  # 1,234.50
    r"|^[0-9]{{1,3}}(?:{other}[0-9]{{3}}){{2,}}$"  # 1,234,567
    r"|^[0-9]*{sign}(?:[0-9]{{0,2}}|[0-9]{{4,}})$"  # 12.50
    r"|^0?{sign}[0-9]+$|^[0-9]{{4,}}{sign}[0-9]*$"  # 0.125, 1234.567
)
DOT_SHOWN, COMMA_SHOWN = SHOWN.format(sign=r"\.", other=","), SHOWN.format(sign=",", other=r"\.")
THREE = r"\.[0-9]{3}$"


class Signs(NamedTuple):
    """The sign before decimals, and the one that may stand between groups of three digits; "" for none."""

    decimal: str
    thousands: str


def measures(value: ir.Value, text: ir.Value, has_three: ir.BooleanValue, known: ir.BooleanValue) -> dict[str, Any]:
    """What the cells show: `value` where a plain number was read, else `text`; `has_three` marks 1.234 among the
    plain ones. Only `known` rows count."""
    number, digits = value.cast("float64"), amounts.digits(text)
    is_like = amounts.is_like_one(text) & known
    is_fraction = number != number.floor()
    plain_dot = ibis.ifelse(has_three, (number.abs() < 1) & (number != 0) | (number.abs() >= 1000), is_fraction) & known
    shows = {
        "read": value.notnull() & known,
        "unread": text.notnull() & known,
        "like": is_like,
        "commas": is_like & digits.contains(","),
        "fitting": amounts.fits(text, ".", ",") & digits.contains(",") & known,
        "threes": has_three & known | is_like & digits.re_search(THREE),
        "dot_plain": plain_dot,
        "dot": is_like & digits.re_search(DOT_SHOWN),
        "comma": is_like & digits.re_search(COMMA_SHOWN),
    }
    marks = {f"sign_{sign}": is_like & text.re_search(f"[{all_}]") for sign, all_ in amounts.CURRENCIES.items()}
    counts = {name: is_so.sum().coalesce(0) for name, is_so in (shows | marks).items()}
    return counts | {
        f"first_{name}": ibis.ifelse(shows[name], text, ibis.null("string")).min() for name in ("fitting", "comma")
    }


def signs(found: dict[str, Any], dialect: Dialect, place: str, first_three: str | None) -> Signs:
    """The two signs, of the dialect or as all cells show. Raises `AmbiguousNumber` where they show nothing, or both."""
    if dialect.decimal:
        return Signs(dialect.decimal, dialect.thousands or {".": ",", ",": "."}[dialect.decimal])
    shows_dot, shows_comma = found["dot"] + found["dot_plain"], found["comma"]
    if shows_comma and not shows_dot:
        raise _refuse(
            place.partition(" ")[0],
            f"{place} is written with commas for decimals or dots for thousands, and no cell has a dot for decimals",
            shows_comma,
            found,
            found["first_comma"],
            "pass --decimal , for amounts like 1.234,50",
        )
    n_open = found["fitting"] + found["threes"]
    if n_open and not shows_comma and not shows_dot:
        sign, first = (",", found["first_fitting"]) if found["fitting"] else (".", first_three)
        raise _refuse(
            place.partition(" ")[0],
            f"no cell of {place} shows whether the {'comma' if sign == ',' else 'dot'} marks thousands or decimals",
            n_open,
            found,
            first,
            f"pass --decimal . or --decimal , for the sign before decimals; {first} has three digits behind its sign",
        )
    if shows_comma and found["threes"]:
        raise _refuse(
            place.partition(" ")[0],
            f"{place} mixes two ways to write decimals, so the meaning of amounts like 1.234 is not known",
            shows_comma,
            found,
            found["first_comma"],
            "write all amounts alike, or pass --decimal . to drop those with a comma",
        )
    return Signs(".", "," if found["commas"] == found["fitting"] else "")


def refuse_currencies(found: dict[str, Any], place: str) -> None:
    """Raise `WrongType` where a column has the signs of more than one currency."""
    n_of = {sign: found[f"sign_{sign}"] for sign in amounts.CURRENCIES if found[f"sign_{sign}"]}
    if len(n_of) > 1:
        rarest = min(n_of, key=lambda sign: n_of[sign])
        raise errors.WrongType(
            f"{place} has more than one currency: " + ", ".join(f"{n:,} with {sign}" for sign, n in n_of.items()),
            count=n_of[rarest],
            total=found["read"] + found["unread"],
            unit="cells",
            first=f"a cell with {rarest}",
            hint="convert all amounts to one currency, or pass a table of one currency",
        )


def _refuse(
    name: str, what: str, n: int, found: dict[str, Any], first: str | None, hint: str
) -> errors.AmbiguousNumber:
    total = found["read"] + found["unread"]
    return errors.AmbiguousNumber(what, count=n, total=total, unit="cells", first=f"{name}={first}", hint=hint)
