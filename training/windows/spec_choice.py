"""The features that the data support, chosen from the rows before as_of."""

from __future__ import annotations

import datetime as dt

from ibis.expr import types as ir

from tiercast.contract import inputs
from tiercast.contract.periods import YEAR_DAYS
from tiercast.features.engines import Engine
from tiercast.features.spec import BREADTH, MARGIN, ORDER_COUNT, Attribute, FeatureSpec
from tiercast.features.tables import Tables
from tiercast.training.settings import Settings
from tiercast.training.windows import schedule

MOST_CATEGORIES = 50


def for_day(engine: Engine, tables: Tables, first_on: dt.date, day: dt.date, settings: Settings) -> FeatureSpec:
    """The features of a procedure that is run on `day`, on windows of the shorter horizon before it."""
    h, r = settings.horizons, settings.rolling
    shorter = min(h.both)
    dates = schedule.plan(first_on, day, shorter, r.most_windows) or (day,)
    wanted = tuple(sorted({*r.feature_windows, *((7, 14) if shorter <= 30 else ())}))
    return choose(engine, tables, (first_on, dates[-1]), wanted, h.value_days)


def as_known(engine: Engine, tables: Tables, day: dt.date, spec: FeatureSpec) -> FeatureSpec:
    """The same features with the categories and the kinds of contact that were known before `day`."""
    people, contacts = tables.customers, tables.interactions
    if people is not None and "joined_on" in people.columns:
        people = people.filter(people.joined_on.isnull() | (people.joined_on < day))
    if contacts is not None:
        contacts = contacts.filter(contacts.occurred_at < dt.datetime.combine(day, dt.time()))
    return spec._replace(attributes=_attributes(engine, people), contact_kinds=_kinds(engine, contacts))


def choose(
    engine: Engine, tables: Tables, history: tuple[dt.date, dt.date], windows: tuple[int, ...], season_days: int
) -> FeatureSpec:
    """Windows no longer than the history, the season only where a year and a window are known before the oldest use.

    Attributes with text become labels (the 50 most frequent), all others numbers.
    """
    first_on, oldest_use = history
    known_days = (oldest_use - first_on).days
    contacts = tables.interactions
    given = set(contacts.columns) if contacts is not None else set()
    return FeatureSpec(
        windows=tuple(sorted({w for w in windows if w <= max(known_days, min(windows))})),
        season_days=season_days if known_days >= YEAR_DAYS else None,
        columns=tuple(c for c in (*BREADTH, MARGIN, ORDER_COUNT) if c in tables.transactions.columns),
        attributes=_attributes(engine, tables.customers),
        has_joined_on=tables.customers is not None and "joined_on" in tables.customers.columns,
        contact_kinds=_kinds(engine, contacts),
        contact_columns=tuple(c for c in ("score", "minutes") if c in given),
    )


def _attributes(engine: Engine, customers: ir.Table | None) -> tuple[Attribute, ...]:
    if customers is None:
        return ()
    names = [c for c in customers.columns if c not in {"customer_id", "joined_on"}]
    return tuple(_attribute(engine, customers, name) for name in sorted(names))


def _attribute(engine: Engine, customers: ir.Table, name: str) -> Attribute:
    if customers[name].type().is_numeric():
        return Attribute(name, "number")
    given = customers.select(value=customers[name])
    counts = given.filter(given["value"].notnull()).group_by("value").aggregate(customers=lambda t: t.count())
    frequent = counts.order_by(counts["customers"].desc(), counts["value"]).limit(MOST_CATEGORIES)
    values = engine.con.to_pyarrow(frequent)["value"].to_pylist()
    return Attribute(name, "label", tuple(sorted(str(v) for v in values)))


def _kinds(engine: Engine, contacts: ir.Table | None) -> tuple[str, ...]:
    if contacts is None:
        return ()
    present = set(engine.con.to_pyarrow(contacts.select("kind").distinct())["kind"].to_pylist())
    return tuple(kind for kind in inputs.INTERACTION_KINDS if kind in present)
