"""Which histories are judged, on which days, over which horizons."""

from __future__ import annotations

import datetime as dt
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks import shops, simulate
from benchmarks.simulate import World
from tiercast.features.reading import Sources
from tiercast.training.settings import Horizons

CUSTOMERS, SEED = 6_000, 11
WORLDS = {
    "plain": World(days=1460),
    "yearly season": World(days=1460, seasonality=0.4),
    "ageing cohort": World(days=1095, cohort_days=90),
    "growing shop": World(days=1460, growth=1.2),
}
LAST_YEARS = ("2025-03-02", "2025-05-16", "2025-07-30", "2025-10-02")
UNEQUAL = ("2024-10-02", "2024-10-17", "2024-12-01", "2024-12-31")
COHORT = ("2024-03-02", "2024-05-16", "2024-07-30", "2024-10-02")
COHORT_UNEQUAL = ("2023-10-02", "2023-10-17", "2023-12-01", "2023-12-31")


class Case(NamedTuple):
    """One history with its horizons, the day it ends on, and the days it is judged on, oldest first."""

    name: str
    sources: Sources
    ends: dt.date
    horizons: Horizons
    days: tuple[dt.date, ...]
    is_known: bool

    @property
    def title(self) -> str:
        """
        >>> Case("CDNOW", Sources("cdnow.parquet"), dt.date(1998, 7, 1), Horizons(churn_days=90), (), True).title
        'CDNOW, 90/365 days'
        """
        churn, value = self.horizons.both
        return f"{self.name}, {churn} days" if churn == value else f"{self.name}, {churn}/{value} days"


def gather(folder: pathlib.Path) -> tuple[list[Case], list[str]]:
    """Every case that can be had here, its files written to `folder`, and one sentence per set that cannot."""
    found, missing = shops.gather(folder)
    by_name = {shop.name: shop for shop in found}
    known = [_known(by_name[name], churn, value, days) for name, churn, value, days in _KNOWN if name in by_name]
    return [*known, *simulated(folder)], missing


_KNOWN: Sequence[tuple[str, int, int, Sequence[str]]] = (
    ("CDNOW", 90, 90, ("1997-10-04", "1997-11-18", "1998-01-02", "1998-02-16", "1998-04-02")),
    ("CDNOW", 180, 180, ("1997-10-04", "1997-11-03", "1997-12-03", "1998-01-02")),
    ("CDNOW", 90, 180, ("1997-10-04", "1997-11-03", "1997-12-03", "1998-01-02")),
    ("Complete Journey", 30, 30, ("2017-09-03", "2017-10-03", "2017-11-02", "2017-12-02")),
    ("Complete Journey", 30, 90, ("2017-07-05", "2017-08-04", "2017-09-03", "2017-10-03")),
    ("Online Retail", 60, 60, ("2011-06-13", "2011-07-13", "2011-08-12", "2011-09-11", "2011-10-11")),
    ("Online Retail", 30, 90, ("2011-06-13", "2011-07-13", "2011-08-12", "2011-09-11")),
)


def simulated(folder: pathlib.Path, customers: int = CUSTOMERS) -> list[Case]:
    """The four worlds over equal horizons and over our default ones, 90 and 365 days."""
    out = []
    for name, world in WORLDS.items():
        path = folder / f"{name.replace(' ', '_')}.parquet"
        if not path.exists():
            simulate.write(world, customers, path, SEED)
        ends = simulate.FIRST_DAY.astype("datetime64[D]").item() + dt.timedelta(world.days)
        is_cohort = bool(world.cohort_days)
        equal, unequal = (COHORT, COHORT_UNEQUAL) if is_cohort else (LAST_YEARS, UNEQUAL)
        for (churn, value), days in (((90, 90), equal), ((90, 365), unequal)):
            out.append(_case(f"simulated {name}", Sources(str(path)), ends, churn, value, days, is_known=False))
    return out


def _known(shop: shops.Shop, churn: int, value: int, days: Sequence[str]) -> Case:
    return _case(shop.name, shop.sources, shop.as_of, churn, value, days, is_known=True)


def _case(
    name: str, sources: Sources, ends: dt.date, churn: int, value: int, days: Sequence[str], *, is_known: bool
) -> Case:
    horizons = Horizons(churn_days=churn, value_days=value)
    return Case(name, sources, ends, horizons, tuple(dt.date.fromisoformat(day) for day in days), is_known)
