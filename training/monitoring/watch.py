"""Watch a model at work: is what comes in still what it learned from, and did its old scores come true?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tiercast.contract import errors
from tiercast.features import parts as base_parts
from tiercast.features import schema
from tiercast.features.engines import Engine
from tiercast.features.reading import Reading
from tiercast.features.reading.score_reader import ScoreFile
from tiercast.models import bundle as bundles
from tiercast.models import frame, predict
from tiercast.models.bundle import Bundle
from tiercast.models.reference import Counted
from tiercast.training import progress
from tiercast.training.fit.references import P_CHURN, VALUE
from tiercast.training.monitoring import drift, incoming, outcomes
from tiercast.training.monitoring.checks import Check, Level, Part, worst
from tiercast.training.monitoring.drift import Drift
from tiercast.training.monitoring.incoming import Step
from tiercast.training.monitoring.outcomes import ClosedWindow, Outcome
from tiercast.training.progress import OnStep

STEPS = ("drift", "what came in", "closed windows")


class WatchReport(NamedTuple):
    """The results of a watch. `waiting` lists the open windows, `notes` holds further remarks."""

    as_of: dt.date
    model: str
    trained_as_of: dt.date
    drift: tuple[Drift, ...]
    steps: tuple[Step, ...]
    outcomes: tuple[Outcome, ...]
    checks: tuple[Check, ...]
    waiting: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def level(self) -> Level:
        return worst(check.level for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """Only numbers, texts, lists and dictionaries, ready for JSON; no customer and no path."""
        return {
            "as_of": self.as_of.isoformat(),
            "model": self.model,
            "trained_as_of": self.trained_as_of.isoformat(),
            "level": self.level,
            "checks": [check.as_dict() for check in self.checks],
            "drift": [row._asdict() for row in self.drift],
            "volume": [row._asdict() for row in self.steps],
            "outcomes": [_plain(each) for each in self.outcomes],
            "waiting": list(self.waiting),
            "notes": list(self.notes),
        }


def watch(
    engine: Engine,
    bundle: Bundle,
    read: Reading,
    scores: Sequence[ScoreFile],
    parts: Sequence[Part],
    on_step: OnStep = progress.ignore,
) -> WatchReport:
    """Run the checks of `parts`; `scores` are old score files. `on_step` receives each of `STEPS` as it begins.

    Raises BadInput where `parts` names only closed windows and none has closed.
    """
    dated = bundles.dated(bundle, read.as_of)
    windows = [outcomes.window(each, read.as_of) for each in scores]
    waiting = tuple(text for each in windows for text in each.waits())
    closed = [each for each in windows if any(each.is_closed)]
    _refuse_nothing(parts, scores, closed, waiting)
    on_step(STEPS[0])
    drifted = _drift(engine, dated, bundle, read) if "drift" in parts else []
    on_step(STEPS[1])
    came = (
        incoming.daily(engine, read.tables.transactions, (read.report.first_on, read.as_of))
        if "data" in parts
        else None
    )
    steps = incoming.steps(came) if came else []
    on_step(STEPS[2])
    measured = closed if "outcomes" in parts else []
    judged = [outcomes.measure(engine, read.tables, each, _card(bundle, each.scores)) for each in measured]
    checks = [
        *(drift.judge(drifted) if drifted else []),
        *(_of_data(came, steps, read, bundle.scorecard) if came else []),
        *(check for each in judged for check in each.checks),
    ]
    return WatchReport(
        as_of=read.as_of,
        model=bundle.about.model,
        trained_as_of=bundle.about.as_of,
        drift=tuple(drifted),
        steps=tuple(steps),
        outcomes=tuple(judged),
        checks=tuple(checks),
        waiting=waiting,
        notes=tuple(note for each in judged for note in _notes(each, bundle)),
    )


def _drift(engine: Engine, dated: Bundle, bundle: Bundle, read: Reading) -> list[Drift]:
    """Features and scores of everybody who has ordered, part by part, in the bins of the bundle."""
    schema.require(bundle.spec, read.tables)
    elapsed = (read.as_of - bundle.about.as_of).days
    seen: dict[str, Counted] = {}
    n_parts = base_parts.split(engine, read.tables, read.report.rows_kept)
    for k in range(n_parts):
        table = base_parts.features(engine, read.tables, read.as_of, bundle.spec, k, n_parts)
        features = frame.from_arrow(table, bundle.spec.names)
        buyers = {name: column[features["n_orders"] > 0] for name, column in features.items()}
        scored = predict.predict(dated, buyers)
        columns = buyers | {P_CHURN: scored.p_churn, VALUE: scored.value}
        seen = drift.add(seen, drift.counted(bundle.reference, columns, elapsed))
    return drift.measure(bundle.reference, seen, (*bundle.spec.names, P_CHURN, VALUE))


def _of_data(came: incoming.Daily, steps: list[Step], read: Reading, card: Mapping[str, Any]) -> list[Check]:
    report = read.report
    dropped = incoming.dropped(report.rows_known, report.dropped_known, card.get("rows"))
    return [incoming.freshness(came), incoming.volume(steps), dropped]


def _card(bundle: Bundle, scores: ScoreFile) -> Mapping[str, Any]:
    """What the holdout promised, where it speaks of the same windows as the scores."""
    about = bundle.about
    return bundle.scorecard if (scores.churn_days, scores.value_days) == (about.churn_days, about.value_days) else {}


def _notes(found: Outcome, bundle: Bundle) -> list[str]:
    scores, name = found.window.scores, found.window.name
    remarks = {
        f"{name}: given by another model ({scores.model}), compared with the holdout of {bundle.about.model}": (
            scores.model != bundle.about.model
        ),
        f"{name}: other horizons than the bundle's, so the holdout promises nothing for them": (
            not _card(bundle, scores) and bool(bundle.scorecard)
        ),
        f"{name}: {found.n_unknown:,} scored buyers are not in these transactions": found.n_unknown,
        f"{name}: {found.n_unscored:,} buyers of that day are not in the file": found.n_unscored,
    }
    return [text for text, is_so in remarks.items() if is_so]


def _refuse_nothing(
    parts: Sequence[Part], scores: Sequence[ScoreFile], closed: Sequence[ClosedWindow], waiting: Sequence[str]
) -> None:
    if list(parts) != ["outcomes"] or closed:
        return
    if not scores:
        hint = "pass --scores a file that `tiercast score` wrote, or a folder of them"
        raise errors.BadInput("closed windows need old scores", first="no --scores", hint=hint)
    end = min(min(each.ends()) for each in scores)
    raise errors.BadInput(
        "no window of these scores has closed yet",
        count=len(scores),
        unit="score files",
        first=waiting[0],
        hint=f"watch again with --as-of {end} or later, or leave out --only outcomes",
    )


def _plain(found: Outcome) -> dict[str, Any]:
    scores = found.window.scores
    cards = {"churn": found.churn, "value": found.value}
    metrics = {
        target: None if card is None else {name: metric._asdict() for name, metric in card.items()}
        for target, card in cards.items()
    }
    return {
        "as_of": scores.as_of.isoformat(),
        "model": scores.model,
        "n_customers": found.n,
        "n_unknown": found.n_unknown,
        "n_unscored": found.n_unscored,
        **metrics,
        "calibration_in_the_large": found.level,
        "ranges": None if found.intervals is None else found.intervals.overall._asdict(),
        "tiers": [row._asdict() for row in found.tiers],
    }
