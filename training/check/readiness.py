"""Is this data enough? What can be done with it, capability by capability, before anything is fitted.

    rank    order customers by risk and value        needs customers to compare
    churn   a probability that can be believed       needs customers who left and customers who stayed
    value   money expected in the value horizon      needs history, and customers who came back
    tiers   the grid of both                         needs churn and value

Every requirement has two marks: from the first on the capability is `ready`; between the second and the first it is
`degraded`, which works with wide errors; short of the second it is `blocked`.
"""

from __future__ import annotations

import datetime
from typing import Literal, NamedTuple

from ibis.expr import types as ir

from tiercast.contract import errors
from tiercast.contract.periods import YEAR_DAYS
from tiercast.features import labels, orders
from tiercast.features.engines import Engine
from tiercast.features.reading.report import ReadingReport
from tiercast.features.tables import Tables
from tiercast.training.check import gaps, independence, least_history
from tiercast.training.check.independence import Independence

Verdict = Literal["ready", "degraded", "blocked"]
ORDER: tuple[Verdict, ...] = ("ready", "degraded", "blocked")
NAMES = {
    "buyers": "buyers",
    "churned": "buyers who did not come back in the newest window",
    "kept": "buyers who came back in the newest window",
    "history_days": "days of history",
    "three_orders": "buyers with three orders or more",
    "spenders": "buyers who spent something",
    "missing_share": "of rows without a usable id, date or amount",
}


class Marks(NamedTuple):
    """Of each measure, from where on a capability is ready, and short of what it is blocked.

    `histories` counts churn horizons that fit into history; `missing_share` must stay below its marks. Where no window
    fits, the closed form alone forecasts churn, from `untested_history_days` on.
    """

    rank_buyers: tuple[float, float] = (100, 2)
    buyers: tuple[float, float] = (500, 50)
    churned: tuple[float, float] = (100, 10)
    kept: tuple[float, float] = (100, 10)
    histories: tuple[float, float] = (2, 1)
    value_history_days: tuple[float, float] = (180, 30)
    three_orders: tuple[float, float] = (1, 0)
    spenders: tuple[float, float] = (1, 1)
    untested_history_days: float = 30
    missing_share: tuple[float, float] = (0.2, 0.5)


class Requirement(NamedTuple):
    """One measure beside its marks."""

    name: str
    measured: float
    required: float
    least: float

    @property
    def verdict(self) -> Verdict:
        reached = self._reaches(self.required), self._reaches(self.least)
        return "ready" if reached[0] else "degraded" if reached[1] else "blocked"

    def _reaches(self, mark: float) -> bool:
        return self.measured < mark if self.name == "missing_share" else self.measured >= mark

    def sentence(self) -> str:
        """Such as "4,339 buyers", or "312 buyers, 500 needed" where that falls short."""
        if self.name == "missing_share":
            text, limit = f"{self.measured:.1%} {NAMES[self.name]}", f"less than {self.required:.0%} needed"
        else:
            text, limit = f"{self.measured:,.0f} {NAMES[self.name]}", f"{self.required:,.0f} needed"
        return text if self.verdict == "ready" else f"{text}, {limit}"


class Capability(NamedTuple):
    """What could be done, and what it needs."""

    name: str
    requirements: tuple[Requirement, ...]

    @property
    def verdict(self) -> Verdict:
        return max((requirement.verdict for requirement in self.requirements), key=ORDER.index)

    @property
    def sentence(self) -> str:
        """What falls short; if nothing does, what there is."""
        short = [requirement for requirement in self.requirements if requirement.verdict != "ready"]
        return "; ".join(requirement.sentence() for requirement in short or self.requirements)

    def as_dict(self) -> dict[str, object]:
        rows = [requirement._asdict() | {"verdict": requirement.verdict} for requirement in self.requirements]
        return {"verdict": self.verdict, "sentence": self.sentence, "requirements": rows}


class Readiness(NamedTuple):
    """All capabilities for one day and one pair of horizons.

    `churn_days` is the horizon measured with: the one given, else the proposed one, else None.
    """

    as_of: datetime.date
    churn_days: int | None
    value_days: int
    proposed_churn_days: int | None
    rank: Capability
    churn: Capability
    value: Capability
    tiers: Capability
    independence: Independence
    notes: tuple[str, ...]

    def capabilities(self) -> tuple[Capability, ...]:
        return self.rank, self.churn, self.value, self.tiers

    def blocked(self) -> tuple[Capability, ...]:
        """Of churn and value, those for which there is too little."""
        return tuple(capability for capability in (self.churn, self.value) if capability.verdict == "blocked")

    def refuse_blocked(self) -> None:
        """Raises NotEnoughData where churn or value is blocked: what was learned from so little would be believed."""
        if blocked := self.blocked():
            raise errors.NotEnoughData(
                f"there is too little for {' and '.join(capability.name for capability in blocked)}",
                count=len(blocked),
                total=2,
                unit="models are blocked",
                first=f"{blocked[0].name}: {blocked[0].sentence}",
                hint="run `tiercast check` for all requirements; to train all the same, pass --even-blocked",
            )

    def as_dict(self) -> dict[str, object]:
        """Only numbers, texts, lists and dictionaries, ready for JSON."""
        return {
            "as_of": self.as_of.isoformat(),
            "churn_days": self.churn_days,
            "value_days": self.value_days,
            "proposed_churn_days": self.proposed_churn_days,
            "capabilities": {capability.name: capability.as_dict() for capability in self.capabilities()},
            "independence": self.independence.as_dict(),
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """One line per capability, then the notes."""
        rows = [f"{c.name:<6} {c.verdict:<9} {c.sentence}" for c in self.capabilities()[:-1]]
        grid = "as churn and value are" if self.tiers.verdict == "ready" else self.tiers.sentence
        return [*rows, f"tiers  {self.tiers.verdict:<9} {grid}", *self.notes]


def check(
    engine: Engine,
    tables: Tables,
    report: ReadingReport,
    as_of: datetime.date,
    churn_days: int | None,
    value_days: int,
    *,
    marks: Marks | None = None,
) -> Readiness:
    """Measure what the tables hold. Without `churn_days`, the horizon that the gaps propose is measured with."""
    marks = marks or Marks()
    proposed = gaps.propose(gaps.observe(engine, tables.transactions), report.history_days)
    horizon = churn_days or proposed
    counts = _buyers(engine, tables.transactions)
    rank = Capability("rank", (Requirement("buyers", counts.buyers, *marks.rank_buyers),))
    shared = (
        Requirement("buyers", counts.buyers, *marks.buyers),
        Requirement("missing_share", report.missing_share, *marks.missing_share),
    )
    churn = Capability("churn", (*shared, *_of_churn(engine, tables, report, as_of, horizon, marks)))
    value = Capability("value", (*shared, *_of_value(report, counts, marks)))
    tiers = Capability("tiers", tuple(dict.fromkeys((*churn.requirements, *value.requirements))))
    together = independence.observe(engine, tables.transactions)
    notes = [*_notes(report, horizon, churn_days, proposed, value_days), *filter(None, [together.warning])]
    return Readiness(as_of, horizon, value_days, proposed, rank, churn, value, tiers, together, tuple(notes))


class _Buyers(NamedTuple):
    """Customers with an order; those of them with three or more; those who spent more than nothing."""

    buyers: int
    three: int
    spenders: int


def _buyers(engine: Engine, transactions: ir.Table) -> _Buyers:
    days = orders.daily(transactions)
    by_customer = (
        days.filter(days["is_order"])
        .group_by("customer_id")
        .aggregate(n_orders=days["is_order"].sum(), has_spent=(days["gross"] > 0).any())
    )
    counts = by_customer.aggregate(
        buyers=by_customer.count(), three=(by_customer["n_orders"] >= 3).sum(), spenders=by_customer["has_spent"].sum()
    )
    return _Buyers(**{name: int(n or 0) for name, n in engine.con.to_pyarrow(counts).to_pylist()[0].items()})


def _of_churn(
    engine: Engine, tables: Tables, report: ReadingReport, as_of: datetime.date, horizon: int | None, marks: Marks
) -> list[Requirement]:
    """Counts at the start of the newest full window, `[as_of - horizon, as_of)`; none where there is no window."""
    if horizon is None:
        return [Requirement("kept", 0, *marks.kept)]
    enough = marks.histories[0] * horizon
    if not least_history.has_window(report.history_days, horizon):
        return [Requirement("history_days", report.history_days, enough, marks.untested_history_days)]
    cut = as_of - datetime.timedelta(days=horizon)
    label = labels.labels(tables, cut, horizon, horizon)
    both = label.aggregate(n=label.count(), churned=label["churned"].sum())
    counts = engine.con.to_pyarrow(both).to_pylist()[0]
    churned = int(counts["churned"] or 0)
    return [
        Requirement("churned", churned, *marks.churned),
        Requirement("kept", counts["n"] - churned, *marks.kept),
        Requirement("history_days", report.history_days, enough, marks.histories[1] * horizon),
    ]


def _of_value(report: ReadingReport, counts: _Buyers, marks: Marks) -> list[Requirement]:
    return [
        Requirement("spenders", counts.spenders, *marks.spenders),
        Requirement("three_orders", counts.three, *marks.three_orders),
        Requirement("history_days", report.history_days, *marks.value_history_days),
    ]


def _notes(
    report: ReadingReport, horizon: int | None, churn_days: int | None, proposed: int | None, value_days: int
) -> list[str]:
    """Remarks that no requirement covers."""
    found = []
    if proposed is None:
        found.append("no churn horizon can be proposed: no customer came back, or less than two weeks are known")
    elif churn_days is None:
        found.append(
            f"proposed churn horizon: {proposed} days (90 % of gaps between orders are no longer, if history allows)"
        )
    elif churn_days != proposed:
        found.append(f"the gaps between orders suggest a churn horizon of {proposed} days, not {churn_days}")
    if report.history_days < YEAR_DAYS + (horizon or 0):
        found.append("less than a full year is known before the newest window: yearly seasons cannot be seen")
    if horizon is not None and not least_history.has_window(report.history_days, horizon):
        found.append(f"no window of {horizon} days has closed: churn would be the closed form's alone, untested")
    if report.history_days < 2 * value_days:
        found.append(
            f"history holds no two windows of {value_days} days: the value model cannot be tested on a later window"
        )
    return found
