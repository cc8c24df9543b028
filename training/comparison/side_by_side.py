"""Two trainings or more side by side: churn, value, calibration, stability, speed, data, settings, and tiers."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tiercast.contract import errors
from tiercast.tiers import grid
from tiercast.training import progress
from tiercast.training.comparison import differences, kept, migration
from tiercast.training.comparison.differences import Difference
from tiercast.training.comparison.migration import Migration
from tiercast.training.comparison.subject import Subject
from tiercast.training.evaluation.bootstrap import Metric
from tiercast.training.progress import OnStep
from tiercast.training.settings import Settings

HORIZONS = ("horizons.churn_days", "horizons.value_days")
DATA = ("data", "first_on", "as_of", "n_customers", "n_features", "data_rows")
SECONDS = "seconds/"
OF_ONE_MODEL = ("churn_trees.", "value_trees.")
HINT = "`tiercast runs` lists them"


class Spread(NamedTuple):
    """A metric over the earlier windows of one training: how much it swings from window to window."""

    windows: int
    mean: float
    lowest: float
    highest: float
    deviation: float | None
    """Standard deviation; None for a single window."""


class Against(NamedTuple):
    """One other training against the first. `tiers` is None where customers cannot be paired; `unpaired` says why."""

    run_id: str
    differences: Mapping[str, Difference]
    tiers: Migration | None
    unpaired: Mapping[str, str]


class Comparison(NamedTuple):
    """One entry per training in each tuple, in the order given, None where a training lacks it.

    `against` holds the others against the first. `caveats` say what makes the numbers less than a duel.
    """

    run_ids: tuple[str, ...]
    started_at: tuple[str, ...]
    grades: Mapping[str, tuple[str | None, ...]]
    metrics: Mapping[str, tuple[Metric | None, ...]]
    against: tuple[Against, ...]
    tiers: Mapping[str, tuple[int | None, ...]]
    stability: Mapping[str, tuple[Spread | None, ...]]
    seconds: Mapping[str, tuple[float | None, ...]]
    data: Mapping[str, tuple[str | None, ...]]
    settings: Mapping[str, tuple[str | None, ...]]
    fitted: Mapping[str, tuple[str | None, ...]]
    caveats: tuple[str, ...]


def compare(subjects: Sequence[Subject], on_step: OnStep = progress.ignore) -> Comparison:
    """`on_step` receives the id of each training as its comparison with the first begins.

    Raises `BadInput` for fewer than two, and where the horizons differ: such trainings forecast different things.
    """
    if len(subjects) < 2:
        alone = "".join(each.run_id for each in subjects)
        raise errors.BadInput("a comparison takes two runs or more", first=alone, hint=HINT)
    _refuse_other_horizons(subjects)
    first, *others = subjects
    against = tuple(_against(first, other, on_step) for other in others)
    differing = {name: values for name, values in _parameters(subjects).items() if len(set(values)) > 1}
    return Comparison(
        run_ids=tuple(each.run_id for each in subjects),
        started_at=tuple(each.started_at.isoformat(timespec="seconds") for each in subjects),
        grades={target: tuple(each.grades.get(target) for each in subjects) for target in kept.TARGETS},
        metrics=_known({name: tuple(each.metric(name) for each in subjects) for name in differences.names()}),
        against=against,
        tiers=_tiers(subjects),
        stability=_stability(subjects),
        seconds=_seconds(subjects),
        data={name: values for name, values in differing.items() if name in DATA},
        settings={name: values for name, values in differing.items() if is_setting(name)},
        fitted={n: values for n, values in differing.items() if not is_setting(n) and n not in DATA},
        caveats=_caveats(subjects, against),
    )


def settings() -> dict[str, str]:
    """Every setting by its dotted name with its default, in the words in which a run's parameters carry it."""
    return {name: str(default) for name, default in Settings().of_training().items()}


def is_setting(name: str) -> bool:
    """Whether a parameter is a setting. A setting of one model's trees is listed only where it is given."""
    return name in settings() or name.startswith(OF_ONE_MODEL)


def _against(first: Subject, other: Subject, on_step: OnStep) -> Against:
    on_step(other.run_id[:8])
    why = {target: kept.why_not_paired(first.kept.get(target), other.kept.get(target)) for target in kept.TARGETS}
    tiers = None if why["value"] else migration.between(first.kept["value"], other.kept["value"])
    found = differences.between(first, other)
    return Against(other.run_id, found, tiers, {target: words for target, words in why.items() if words})


def _parameters(subjects: Sequence[Subject]) -> dict[str, tuple[str | None, ...]]:
    names = sorted(set().union(*(each.params for each in subjects)))
    return {name: tuple(each.params.get(name) for each in subjects) for name in names}


def _known(rows: dict[str, tuple[Metric | None, ...]]) -> dict[str, tuple[Metric | None, ...]]:
    return {name: values for name, values in rows.items() if any(values)}


def _tiers(subjects: Sequence[Subject]) -> dict[str, tuple[int | None, ...]]:
    """Customers per tier on the value window, as far as they are kept."""
    letters = [each.kept["value"].tier if "value" in each.kept else None for each in subjects]
    counts = {
        tier: tuple(None if found is None else int((found == tier).sum()) for found in letters) for tier in grid.TIERS
    }
    return {tier: row for tier, row in counts.items() if any(row)}


def _stability(subjects: Sequence[Subject]) -> dict[str, tuple[Spread | None, ...]]:
    rows = {name: tuple(_spread(each, name) for each in subjects) for name in differences.names()}
    return {name: row for name, row in rows.items() if any(row)}


def _spread(subject: Subject, name: str) -> Spread | None:
    found = [window[name] for window in subject.windows if name in window]
    if not found:
        return None
    deviation = statistics.stdev(found) if len(found) > 1 else None
    return Spread(len(found), statistics.fmean(found), min(found), max(found), deviation)


def _seconds(subjects: Sequence[Subject]) -> dict[str, tuple[float | None, ...]]:
    names = dict.fromkeys(name for each in subjects for name in each.metrics if name.startswith(SECONDS))
    return {name.removeprefix(SECONDS): tuple(each.metrics.get(name) for each in subjects) for name in names}


def _refuse_other_horizons(subjects: Sequence[Subject]) -> None:
    first, *others = [[each.params.get(name) for name in HORIZONS] for each in subjects]
    for other, days in zip(subjects[1:], others, strict=True):
        if days != first:
            horizons = f"churn {first[0]} d, value {first[1]} d against churn {days[0]} d, value {days[1]} d"
            hint = "compare runs that answer the same question: equal --churn-days and --value-days"
            raise errors.BadInput("not comparable: the horizons differ", first=f"{other.run_id}, {horizons}", hint=hint)


def _caveats(subjects: Sequence[Subject], against: Sequence[Against]) -> tuple[str, ...]:
    others = len(subjects) - 1
    caveats = [
        *_of_runs(subjects),
        *(
            f"{each.run_id[:8]}, {target}: not paired, for {words}; its differences are laid together from two "
            "separate intervals."
            for each in against
            for target, words in each.unpaired.items()
        ),
        *_of_samples(subjects),
    ]
    metrics = len(differences.names()) * others
    return (
        *caveats,
        f"Of {metrics} differences at 95 %, about {max(round(metrics / 20), 1)} would leave out 0 by luck alone.",
    )


def _of_runs(subjects: Sequence[Subject]) -> list[str]:
    caveats = {
        "as_of": "The runs were judged on windows of different days: a season moves every number.",
        "data": "The runs saw different data.",
    }
    return [words for name, words in caveats.items() if len({each.params.get(name) for each in subjects}) > 1]


def _of_samples(subjects: Sequence[Subject]) -> list[str]:
    found = {(len(rows.actual), rows.window.n_customers) for each in subjects for rows in each.kept.values()}
    return [
        f"Differences and tiers are from a sample of {n:,} of {of:,} customers." for n, of in sorted(found) if n < of
    ]
