"""Numbers as text: money and shares, with a dash for a missing number."""

from __future__ import annotations

MISSING = "–"


def money(number: float | None) -> str:
    """Whole units from 100 on, two decimals below.

    >>> money(1234.5), money(3.456), money(None)
    ('1,234', '3.46', '–')
    """
    if number is None:
        return MISSING
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:,.2f}"


def percent(share: float | None) -> str:
    """A share in [0, 1] as a percentage with one decimal.

    >>> percent(0.0412), percent(None)
    ('4.1%', '–')
    """
    return MISSING if share is None else f"{share:.1%}"
