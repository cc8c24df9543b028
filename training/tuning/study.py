"""The search, kept in a file so that it can be stopped and continued. The only module that imports Optuna.

Every trial draws from a generator of its own, seeded by how many trials are finished: a search that was killed and
continued ends as if it had never been killed. The file is SQLite, which Optuna reads without pickle.
"""

from __future__ import annotations

import contextlib
import json
import math
import pathlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from tiercast.contract import errors
from tiercast.training.search_space import Range
from tiercast.training.tuning import study_file

IDENTITY, DEFAULTS = "identity", "losses_of_defaults"
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
LEAST_FOR_IMPORTANCE = 10
"""The fewest complete trials for which importance is computed."""
Values = dict[str, float]
Score = Callable[[Values], Iterator[float]]

optuna.logging.set_verbosity(optuna.logging.ERROR)


class Trial(NamedTuple):
    """`losses` after each fold, the last one counts; `is_pruned` when the first ones were worse than most others'."""

    number: int
    values: Values
    losses: tuple[float, ...]
    is_pruned: bool

    @property
    def loss(self) -> float:
        return self.losses[-1]


class Study:
    """One model's search in the file. `search` adds trials, `trials` returns all that finished, oldest first."""

    def __init__(
        self, path: pathlib.Path, name: str, ranges: Mapping[str, Range], identity: Mapping[str, object]
    ) -> None:
        """Make the study or continue it. Raises `BadInput` for another file or another search, `CannotWrite`."""
        self.path, self.ranges = path, ranges
        study_file.check(path)
        with self._working():
            storage = optuna.storages.RDBStorage(URL.create("sqlite", database=str(path)).render_as_string())
            pruner = optuna.pruners.MedianPruner()
            self._study = optuna.create_study(storage=storage, study_name=name, pruner=pruner, load_if_exists=True)
            known = self._study.user_attrs.get(IDENTITY)
            if known is None:
                self._study.set_user_attr(IDENTITY, json.dumps(dict(identity)))
        if known is not None:
            study_file.same(json.loads(known), identity, path)

    def defaults(self, score: Callable[[], Iterator[float]]) -> tuple[float, ...]:
        """The losses of the settings as they are: computed once, then remembered."""
        with self._working():
            if DEFAULTS not in self._study.user_attrs:
                self._study.set_user_attr(DEFAULTS, list(score()))
            return tuple(self._study.user_attrs[DEFAULTS])

    def trials(self) -> tuple[Trial, ...]:
        with self._working():
            return tuple(self._trial(at, one) for at, one in enumerate(self._finished(), 1))

    def search(self, most: int, seed: int, score: Score, n_folds: int) -> Iterator[Trial]:
        """Try until `most` trials are finished, those of earlier calls included; each is yielded when it is over.

        `score` gives the loss after each of `n_folds` folds; a trial is not cut short after its last one.
        """
        distributions: dict[str, BaseDistribution] = {name: _distribution(each) for name, each in self.ranges.items()}
        with self._working():
            for one in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
                self._study.tell(one.number, state=TrialState.FAIL)  # it was running when its process was killed
            while (done := len(self._finished())) < most:
                self._study.sampler = optuna.samplers.TPESampler(seed=seed + done)
                self._try(self._study.ask(distributions), score, n_folds)
                yield self._trial(done + 1, self._finished()[-1])

    def importance(self) -> dict[str, float]:
        """Which share of what separates good trials from others is owed to each setting (PED-ANOVA); may be empty.

        Watanabe, Bansal & Hutter (2023), "PED-ANOVA: efficiently quantifying hyperparameter importance".
        """
        complete = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if len(complete) < LEAST_FOR_IMPORTANCE:
            return {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where all trials tie
            judge = optuna.importance.PedAnovaImportanceEvaluator()
            return dict(optuna.importance.get_param_importances(self._study, evaluator=judge))

    def _try(self, trial: optuna.Trial, score: Score, n_folds: int) -> None:
        loss = math.inf
        for fold, value in enumerate(score(self._neat(trial.params)), 1):
            loss = math.inf if math.isnan(value) else value
            trial.report(loss, fold)
            if fold < n_folds and trial.should_prune():
                self._finish(trial, None, TrialState.PRUNED)
                return
        self._finish(trial, loss, TrialState.COMPLETE)

    def _finish(self, trial: optuna.Trial, loss: float | None, state: TrialState) -> None:
        try:
            self._study.tell(trial, loss, state=state)
        except ValueError as error:  # so Optuna says that the trial was ended by someone else
            raise self._disturbed() from error

    def _neat(self, drawn: Mapping[str, float]) -> Values:
        return {name: self.ranges[name].neat(drawn[name]) for name in self.ranges}

    def _trial(self, number: int, one: FrozenTrial) -> Trial:
        losses = tuple(loss for _, loss in sorted(one.intermediate_values.items()))
        return Trial(number, self._neat(one.params), losses, one.state is TrialState.PRUNED)

    def _finished(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=FINISHED)

    @contextlib.contextmanager
    def _working(self) -> Iterator[None]:
        """Say it in our words when the file, or another process that writes to it, is in the way."""
        try:
            yield
        except UpdateFinishedTrialError as error:
            raise self._disturbed() from error
        except (StorageInternalError, SQLAlchemyError) as error:
            first = f"{self.path}: {str(error.__cause__ or error).splitlines()[0]}"
            hint = "check permissions and disk space, or pass --study with another file"
            raise errors.CannotWrite("the study file cannot be used", first=first, hint=hint) from error

    def _disturbed(self) -> errors.BadInput:
        hint = "wait until it is done, or pass --study with another file"
        return errors.BadInput("another search is writing to this study", first=str(self.path), hint=hint)


def _distribution(each: Range) -> IntDistribution | FloatDistribution:
    if isinstance(each.low, int) and isinstance(each.high, int):
        return IntDistribution(each.low, each.high, log=each.log)
    return FloatDistribution(each.low, each.high, log=each.log)
