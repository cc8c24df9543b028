"""On which days history is replayed, and which of their windows have closed by the day the data end."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from typing import Literal, NamedTuple

from tiercast.contract import errors
from tiercast.training.settings import Horizons

Unit = Literal["d", "w", "m"]
MOST_DATES = 400
_WRITTEN = re.compile(r"([1-9][0-9]{0,3})([dwm]?)")


class Every(NamedTuple):
    """The step from one date to the next, in days, weeks or calendar months."""

    number: int
    unit: Unit

    def after(self, first: dt.date, steps: int) -> dt.date:
        """`steps` steps after `first`. A month step keeps the day of the month, or takes the month's last.

        >>> [Every(1, "m").after(dt.date(1997, 10, 31), n).isoformat() for n in (1, 2, 4)]
        ['1997-11-30', '1997-12-31', '1998-02-28']
        """
        if self.unit != "m":
            return first + dt.timedelta(steps * self.number * (7 if self.unit == "w" else 1))
        years, month = divmod(first.month - 1 + steps * self.number, 12)
        year = first.year + years
        return dt.date(year, month + 1, min(first.day, calendar.monthrange(year, month + 1)[1]))

    def __str__(self) -> str:
        return f"{self.number}{self.unit}"


class DateRange(NamedTuple):
    """From the first date on, every step, up to the last date; the last is included if a step falls on it."""

    first: dt.date
    last: dt.date
    every: Every


class Planned(NamedTuple):
    """One date, and the day on which each target's window closed; None while it is open."""

    as_of: dt.date
    churn_closes: dt.date | None
    value_closes: dt.date | None

    @property
    def until(self) -> dt.date:
        """The end of the longest closed window: rows on or after this day play no part."""
        return max(day for day in (self.churn_closes, self.value_closes) if day)


class Plan(NamedTuple):
    """The dates to judge, oldest first; `first_open` is the date before which the plan stops, if it does."""

    dates: tuple[Planned, ...]
    first_open: dt.date | None


def every(text: str) -> Every:
    """A step as a person writes it. Raises BadInput.

    >>> every("30d"), str(every("2w")), every("1m").unit, every("45")
    (Every(number=30, unit='d'), '2w', 'm', Every(number=45, unit='d'))
    """
    found = _WRITTEN.fullmatch(text.strip().lower())
    if found is None:
        hint = "write a number of days, weeks or months: --every 30d, --every 2w, --every 1m"
        raise errors.BadInput("--every is not a step", first=text, hint=hint)
    return Every(int(found[1]), found[2] or "d")  # type: ignore[arg-type]


def plan(requested: DateRange, known_until: dt.date, horizons: Horizons) -> Plan:
    """The requested dates with at least one window closed by `known_until`. Raises BadInput when there is none."""
    every_date = dates(requested)
    judged = [_closed(day, known_until, horizons) for day in every_date]
    kept = tuple(planned for planned in judged if planned.churn_closes or planned.value_closes)
    if not kept:
        raise _all_open(every_date, known_until, horizons)
    return Plan(kept, every_date[len(kept)] if len(kept) < len(every_date) else None)


def dates(requested: DateRange) -> list[dt.date]:
    """All requested dates, whether their windows have closed or not. Raises BadInput."""
    if requested.last < requested.first:
        hint = "swap --from and --to"
        raise errors.BadInput(
            "--to lies before --from", first=f"--from {requested.first} --to {requested.last}", hint=hint
        )
    found = [requested.first]
    while (day := requested.every.after(requested.first, len(found))) <= requested.last:
        found.append(day)
        if len(found) > MOST_DATES:
            hint = "take a longer step, such as --every 30d, or fewer years"
            what = f"more than {MOST_DATES} dates are asked for"
            raise errors.BadInput(what, first=f"--every {requested.every}", hint=hint)
    return found


def _closed(day: dt.date, known_until: dt.date, horizons: Horizons) -> Planned:
    closes = [day + dt.timedelta(days) for days in horizons.both]
    return Planned(day, *(end if end <= known_until else None for end in closes))


def _all_open(dates: list[dt.date], known_until: dt.date, horizons: Horizons) -> errors.NotEnoughData:
    shorter = min(horizons.both)
    newest = known_until - dt.timedelta(shorter)
    return errors.NotEnoughData(
        f"no window of these dates has closed: the data are known until {known_until}",
        count=len(dates),
        total=len(dates),
        unit="dates",
        first=f"as of {dates[0]}, a window of {shorter} days closes on {dates[0] + dt.timedelta(shorter)}",
        hint=f"pass --from and --to {newest} or earlier, or shorter horizons",
    )
