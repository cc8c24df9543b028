"""Tune: search on earlier windows, confirm on a later one, and keep what gained beyond noise."""

from __future__ import annotations

import datetime as dt
import hashlib
import pathlib
from collections.abc import Iterator, Sequence
from importlib import metadata
from typing import NamedTuple

from tiercast.contract import errors
from tiercast.features import reading
from tiercast.features.engines import Engine
from tiercast.features.reading import Reading, Sources
from tiercast.training import progress, train
from tiercast.training.progress import OnStep
from tiercast.training.search_space import Range
from tiercast.training.settings import Horizons, Model, Settings
from tiercast.training.tuning import confirm, losses, stage
from tiercast.training.tuning.confirm import Confirmed
from tiercast.training.tuning.stage import Stage
from tiercast.training.tuning.study import Study, Trial, Values
from tiercast.training.windows import fingerprint, sampling

MODELS: tuple[Model, ...] = ("churn", "value")


class SearchResult(NamedTuple):
    """One model's search. `gains` has one entry per trial: over the defaults, on the windows it was tried on.

    `best` and `confirmed` are None where no trial was better than the defaults. `values` are the ones to train with:
    empty where the defaults are kept.
    """

    model: Model
    defaults: Values
    trials: tuple[Trial, ...]
    gains: tuple[float, ...]
    best: Trial | None
    confirmed: Confirmed | None
    values: Values
    importance: dict[str, float]
    searched_on: tuple[dt.date, ...]

    @property
    def verdict(self) -> str:
        """One sentence: what was gained, or that nothing was."""
        if self.confirmed is None:
            return "Nothing gained: no trial was better than the defaults. The defaults are kept."
        value, low, high = (f"{100 * number:+.2f}" for number in self.confirmed.gain)
        gained = f"{value} % ({low} to {high}) on {self.confirmed.as_of} + {self.confirmed.days} days"
        if self.values:
            return f"Gained {gained}, which the search had not seen. Kept."
        noise = " beyond noise" if self.confirmed.gain.value > 0 else ""
        return f"Nothing gained{noise}: {gained}, which the search had not seen. The defaults are kept."


class Tuned(NamedTuple):
    """What to train with, and how it was found. Nothing on or after `known_until` was looked at."""

    settings: Settings
    found: tuple[SearchResult, ...]
    as_of: dt.date
    known_until: dt.date
    data: str
    notes: tuple[str, ...]


def read(engine: Engine, where: Sources, as_of: dt.date | None, horizons: Horizons) -> Reading:
    """The tables as they were known when the holdouts of a training on `as_of` began. Raises `BadInput`."""
    day = as_of or reading.read(engine, where, None, is_counted=False).as_of
    try:
        return reading.read(engine, where, stage.known_until(day, horizons), is_counted=False)
    except errors.NothingKnown as error:
        known = reading.read(engine, where, day, is_counted=False)
        raise _too_short(known.report.first_on, day, horizons) from error


def tune(
    engine: Engine, known: Reading, settings: Settings, path: pathlib.Path, on_step: OnStep = progress.ignore
) -> Tuned:
    """Search for both models, continuing what the study in `path` already holds.

    known: what `read` gave, so that nothing later can be looked at. `on_step` is called with what begins.
    Raises NotEnoughData where neither model can be tuned, BadInput where `path` is of another search.
    """
    on_step("features")
    tables = sampling.draw(engine, known.tables, settings.rolling.most_customers).tables
    first_on, day = known.report.first_on, known.as_of
    as_of = day + dt.timedelta(max(settings.horizons.both))
    data = fingerprint.digest(engine, tables)
    snapshots = train.open_snapshots(engine, tables, (first_on, day), settings)
    stages = {model: stage.set_up(snapshots, model, settings) for model in MODELS if _ranges(settings, model)}
    found = tuple(_search(each, settings, path, data, on_step) for each in stages.values() if each)
    if not found:
        raise _too_short(first_on, as_of, settings.horizons)
    for each in found:
        settings = _with(settings, each.model, each.values)
    return Tuned(settings, found, as_of, day, data, tuple(_notes(settings, stages)))


def _search(at: Stage, settings: Settings, path: pathlib.Path, data: str, on_step: OnStep) -> SearchResult:
    ranges = _ranges(settings, at.model)
    study = Study(path, at.model, ranges, _identity(at, settings, data, ranges))

    def score(values: Values) -> Iterator[float]:
        trees = _with(settings, at.model, values).trees_of(at.model)
        return losses.after_each_fold(at, trees, settings)

    on_step(f"{at.model}, the defaults")
    of_defaults = study.defaults(lambda: score({}))
    trials = list(study.trials())
    for _ in trials:
        on_step(f"{at.model}, continued")
    on_step(_progress(at, trials, of_defaults, settings.tune.trials))
    for trial in study.search(settings.tune.trials, settings.rolling.seed, score, len(at.folds)):
        trials.append(trial)
        on_step(_progress(at, trials, of_defaults, settings.tune.trials))
    best = _best(trials, of_defaults)
    tried = _with(settings, at.model, best.values) if best else settings
    confirmed = confirm.confirm(at, settings, tried) if best else None
    return SearchResult(
        model=at.model,
        defaults={name: getattr(settings.trees_of(at.model), name) for name in ranges},
        trials=tuple(trials),
        gains=tuple(gain_of(at, trial, of_defaults) for trial in trials),
        best=best,
        confirmed=confirmed,
        values=best.values if best and confirmed and confirmed.is_beyond_noise else {},
        importance=study.importance(),
        searched_on=tuple(fold.test.as_of for fold in at.folds),
    )


def gain_of(at: Stage, trial: Trial, of_defaults: Sequence[float]) -> float:
    """Over the defaults on the same folds: a trial that was cut short has seen only the first ones."""
    return losses.gain(at, trial.loss, of_defaults[len(trial.losses) - 1])


def _best(trials: list[Trial], of_defaults: Sequence[float]) -> Trial | None:
    """The complete trial with the lowest loss, if that is below the defaults'."""
    complete = [trial for trial in trials if not trial.is_pruned]
    best = min(complete, key=lambda trial: trial.loss, default=None)
    return best if best is not None and best.loss < of_defaults[-1] else None


def _progress(at: Stage, trials: list[Trial], of_defaults: Sequence[float], most: int) -> str:
    best = _best(trials, of_defaults)
    so_far = f", {gain_of(at, best, of_defaults):+.2%} so far" if best else ""
    now = f"{at.model} {len(trials) + 1} of {most}" if len(trials) < most else f"{at.model}, confirming"
    return f"{now}{so_far}"


def _ranges(settings: Settings, model: Model) -> dict[str, Range]:
    """The ranges of this model: churn's trees have no variance power."""
    named = settings.tune.space.named()
    return {name: each for name, each in named.items() if model == "value" or name != "tweedie_variance_power"}


def _with(settings: Settings, model: Model, values: Values) -> Settings:
    """The settings with these values for that model's trees."""
    trees = settings.churn_trees if model == "churn" else settings.value_trees
    return settings.model_copy(update={f"{model}_trees": {**trees, **values}})


def _identity(at: Stage, settings: Settings, data: str, ranges: dict[str, Range]) -> dict[str, object]:
    """Everything that a trial's loss depends on: a study is only continued where all of it is the same."""
    trees = settings.trees_of(at.model).model_dump()
    rolling = settings.rolling.model_dump(mode="json", exclude={"threads", "bootstrap_draws"})
    columns = hashlib.sha256(repr((at.names, at.labels)).encode()).hexdigest()[:16]
    return {
        "data": data,
        "known_until": (at.outcome.as_of + dt.timedelta(at.days)).isoformat(),
        **{f"horizons.{name}": days for name, days in settings.horizons.model_dump().items()},
        **{f"trees.{name}": value for name, value in trees.items()},
        **{f"rolling.{name}": value for name, value in rolling.items()},
        **{f"tune.space.{name}": str(each) for name, each in ranges.items()},
        "features": columns,
        "lightgbm": metadata.version("lightgbm"),
    }


def _notes(settings: Settings, stages: dict[Model, Stage | None]) -> Iterator[str]:
    for model in MODELS:
        if model not in stages:
            yield f"{model.capitalize()} was not tuned: the space names nothing that its trees know."
        elif stages[model] is None:
            yield f"{model.capitalize()} was not tuned: the history is too short, or too few customers did something."


def _too_short(first_on: dt.date, as_of: dt.date, horizons: Horizons) -> errors.NotEnoughData:
    days = (as_of - first_on).days
    longer = max(horizons.both)
    return errors.NotEnoughData(
        f"the history is too short to tune on windows that were over {longer} days ago, when the holdout began",
        count=days,
        total=longer + stage.needed_days(min(horizons.both)),
        unit="days",
        first=f"first transaction {first_on}, known until {as_of}",
        hint="pass shorter horizons (--churn-days, --value-days), or train with the defaults",
    )
