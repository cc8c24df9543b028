"""Runs side by side: the parameters in which they differ, and the numbers with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mlflow.entities import Run

from contract import errors
from training.evaluation.bootstrap import Metric
from training.evaluation.scorecard import CHURN_MEASURES, VALUE_MEASURES
from training.tracking import lookup, store

HORIZONS = ("horizons.churn_days", "horizons.value_days")
METRICS = (
    *(f"churn_{name}" for name in CHURN_MEASURES),
    *(f"value_{name}" for name in VALUE_MEASURES),
    "value_coverage",
)
NAN = float("nan")


class Comparison(NamedTuple):
    """One entry per run in each tuple, in the order asked; None where a run lacks it.

    `caveats` say what makes the numbers less than a duel: another day, or other data.
    """

    run_ids: tuple[str, ...]
    parameters: Mapping[str, tuple[str | None, ...]]
    metrics: Mapping[str, tuple[Metric | None, ...]]
    caveats: tuple[str, ...]


def compare(run_ids: Sequence[str]) -> Comparison:
    """Two or more trainings. Raises `BadInput` for fewer, for unknown ones, and where the horizons differ."""
    if len(run_ids) < 2:
        raise errors.BadInput("a comparison takes two runs or more", first=", ".join(run_ids), hint=lookup.HINT)
    with store.answering():
        found = [lookup.training(run_id) for run_id in run_ids]
    _refuse_other_horizons(found)
    parameters = _side_by_side([run.data.params for run in found])
    differing = {name: values for name, values in parameters.items() if len(set(values)) > 1}
    metrics = {name: tuple(_metric(run, name) for run in found) for name in METRICS}
    known = {name: values for name, values in metrics.items() if any(values)}
    return Comparison(tuple(str(run.info.run_id) for run in found), differing, known, _caveats(differing))


def _side_by_side(given: Sequence[Mapping[str, str]]) -> dict[str, tuple[str | None, ...]]:
    names = sorted(set().union(*given))
    return {name: tuple(params.get(name) for params in given) for name in names}


def _metric(run: Run, name: str) -> Metric | None:
    found = run.data.metrics
    ends = (found.get(f"{name}{end}", NAN) for end in ("_low", "_high"))
    return Metric(found[name], *ends) if name in found else None


def _refuse_other_horizons(found: Sequence[Run]) -> None:
    first, *others = [[run.data.params.get(name) for name in HORIZONS] for run in found]
    for run, days in zip(found[1:], others, strict=True):
        if days != first:
            asked = f"churn {first[0]} d, value {first[1]} d against churn {days[0]} d, value {days[1]} d"
            hint = "compare runs that answer the same question: equal --churn-days and --value-days"
            raise errors.BadInput("not comparable: the horizons differ", first=f"{run.info.run_id}, {asked}", hint=hint)


def _caveats(differing: Mapping[str, tuple[str | None, ...]]) -> tuple[str, ...]:
    said = {
        "as_of": "The runs were judged on windows of different days.",
        "data": "The runs saw different data.",
    }
    return tuple(words for name, words in said.items() if name in differing)
