"""Real searches, small: every sixteenth customer of CDNOW, few windows, few rounds."""

from __future__ import annotations

import contextlib
import datetime as dt
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import compute, parquet
from scipy.special import expit
from sklearn import metrics

from tests import command_line, small_training
from tiercast.contract import errors
from tiercast.contract.vectors import Vector
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.features.reading import Reading, Sources
from tiercast.models import btyd, predict, relative
from tiercast.models import frame as frames
from tiercast.models.bundle import About
from tiercast.training import train
from tiercast.training.evaluation import outcomes
from tiercast.training.evaluation.level import mae
from tiercast.training.evaluation.ranking import ngini
from tiercast.training.fit import churn_model, procedure, stacking, value_model
from tiercast.training.fit.boosting import Target
from tiercast.training.search_space import Range, Space
from tiercast.training.settings import Horizons, Rolling, Settings, Trees, Tune, load
from tiercast.training.tuning import as_toml, confirm, losses, stage, tune
from tiercast.training.windows import sampling

AS_OF = small_training.AS_OF
BEGINS = dt.date(1998, 4, 2)  # 90 days earlier: here both holdouts begin
SETTINGS = Settings(
    horizons=Horizons(churn_days=90, value_days=90),
    trees=Trees(rounds=30),
    rolling=Rolling(bootstrap_draws=50, most_windows=5, most_folds=2, threads=1, feature_windows=(90,)),
    tune=Tune(trials=4),
)
Stages = dict[str, stage.Stage]
QUICK = SETTINGS.model_copy(update={"tune": Tune(trials=2)})


@pytest.fixture(scope="module")
def purchases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_training.every_sixteenth_customer(tmp_path_factory.mktemp("purchases") / "purchases.parquet")


def search(source: Path, study: Path, settings: Settings = SETTINGS, as_of: dt.date = AS_OF) -> tune.Tuned:
    with DuckDBEngine(threads=1) as engine:
        known = tune.read(engine, Sources(str(source)), as_of, settings.horizons)
        return tune.tune(engine, known, settings, study)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("study") / "tune.db"


@pytest.fixture(scope="module")
def tuned(purchases: Path, study: Path) -> tune.Tuned:
    """Four trials for each model, never stopped."""
    return search(purchases, study)


@pytest.fixture(scope="module")
def stages(purchases: Path) -> Stages:
    """What both models are tuned on."""
    with DuckDBEngine(threads=1) as engine:
        known = tune.read(engine, Sources(str(purchases)), AS_OF, SETTINGS.horizons)
        return {each.model: each for each in both(engine, known)}


def both(engine: DuckDBEngine, known: Reading) -> list[stage.Stage]:
    tables = sampling.draw(engine, known.tables, 0).tables
    snapshots = train.open_snapshots(engine, tables, (known.report.first_on, known.as_of), SETTINGS)
    found = [stage.set_up(snapshots, model, SETTINGS) for model in tune.MODELS]
    return [each for each in found if each is not None]


# --- when


def test_nothing_that_is_searched_or_confirmed_on_reaches_into_a_holdout(stages: Stages) -> None:
    assert stage.known_until(AS_OF, SETTINGS.horizons) == BEGINS
    for each in stages.values():
        assert each.outcome.as_of + dt.timedelta(90) == BEGINS
        for fold in each.folds:
            assert fold.test.as_of + dt.timedelta(90) <= each.now.as_of
        assert each.now.churned is None, "the fit that is confirmed does not know how it ends"
        assert each.outcome.churned is not None


def test_what_happened_in_the_holdouts_changes_no_trial(purchases: Path, tuned: tune.Tuned, tmp_path: Path) -> None:
    table = parquet.read_table(purchases)
    is_later = compute.greater_equal(table["ordered_at"], pa.scalar(BEGINS).cast(table["ordered_at"].type))
    amounts = compute.if_else(is_later, compute.subtract(1e6, table["amount"]), table["amount"])
    ids = compute.if_else(is_later, pa.scalar("stranger"), table["customer_id"])
    absurd = table.set_column(table.column_names.index("amount"), "amount", amounts)
    absurd = absurd.set_column(table.column_names.index("customer_id"), "customer_id", ids)
    assert compute.sum(is_later).as_py() > 100, "the lie is there"
    parquet.write_table(absurd, tmp_path / "absurd.parquet")
    assert search(tmp_path / "absurd.parquet", tmp_path / "tune.db") == tuned


# --- what a trial is worth


def links_of_trees(at: stage.Stage, target: Target) -> Vector:
    """LightGBM's own predictions for the first fold, from the stack that a training would fit before it."""
    if (trees := stacking.fit(target, at.folds[0].train, SETTINGS.trees, SETTINGS.rolling).trees) is None:
        return np.zeros(0)
    columns = relative.columns(at.folds[0].test.frame, trees.names, target.days)
    return np.asarray(trees.booster.predict(frames.matrix(columns, trees.names), raw_score=True))


def test_the_loss_of_a_churn_trial_is_the_log_loss_of_its_trees_on_a_later_window(stages: Stages) -> None:
    at = stages["churn"]
    p = expit(links_of_trees(at, churn_model.target(at.names, at.labels, SETTINGS)))
    loss = next(losses.after_each_fold(at, SETTINGS.trees, SETTINGS))
    assert loss == pytest.approx(metrics.log_loss(churn_model.churned(at.folds[0].test), p), rel=1e-6)


def test_the_loss_of_a_value_trial_is_minus_the_gain_of_its_trees_over_the_closed_form(stages: Stages) -> None:
    """In normalised Gini and in error, both at the actual total."""
    at = stages["value"]
    actual, closed = value_model.realised(at.folds[0].test), at.folds[0].test.frame[btyd.VALUE]
    ours = np.exp(links_of_trees(at, value_model.target(at.names, at.labels, SETTINGS)))
    us, them = (outcomes.pair(f * actual.sum() / f.sum(), actual) for f in (ours, closed))
    loss = next(losses.after_each_fold(at, SETTINGS.trees, SETTINGS))
    assert loss == pytest.approx(mae(us) / mae(them) - ngini(us) / ngini(them), rel=1e-6)


def test_a_trial_that_was_cut_short_is_compared_with_the_defaults_on_the_same_folds(
    tuned: tune.Tuned, stages: Stages
) -> None:
    of_defaults = list(losses.after_each_fold(stages["churn"], SETTINGS.trees, SETTINGS))
    (found,) = [each for each in tuned.found if each.model == "churn"]
    short, whole = found.trials[0]._replace(losses=found.trials[0].losses[:1], is_pruned=True), found.trials[0]
    assert tune.gain_of(stages["churn"], short, of_defaults) == 1 - short.losses[0] / of_defaults[0]
    assert tune.gain_of(stages["churn"], whole, of_defaults) == found.gains[0] == 1 - whole.losses[1] / of_defaults[1]


def test_the_gain_is_confirmed_on_what_bundles_of_that_day_would_have_said(purchases: Path, stages: Stages) -> None:
    """Two bundles as of the day on which the window begins, made by the whole procedure, asked for its customers."""
    other = SETTINGS.model_copy(update={"churn_trees": {"num_leaves": 2}, "value_trees": {"num_leaves": 2}})
    begins = BEGINS - dt.timedelta(90)
    about = About(as_of=begins, churn_days=90, value_days=90)
    said = {}
    with DuckDBEngine(threads=1) as engine:
        known = tune.read(engine, Sources(str(purchases)), AS_OF, SETTINGS.horizons)
        tables, span = sampling.draw(engine, known.tables, 0).tables, (known.report.first_on, known.as_of)
        snapshots = train.open_snapshots(engine, tables, span, SETTINGS)
        outcome = snapshots.at(begins)
        for name, settings in (("defaults", SETTINGS), ("other", other)):
            bundle = procedure.run(snapshots.until(begins), begins, settings, about).bundle
            said[name] = predict.predict(bundle, {column: outcome.frame[column] for column in bundle.spec.names})
    churned = churn_model.churned(outcome)
    before, after = (metrics.log_loss(churned, said[name].p_churn) for name in ("defaults", "other"))
    confirmed = confirm.confirm(stages["churn"], SETTINGS, other)
    assert confirmed.gain.value == pytest.approx(1 - after / before, abs=1e-9)
    assert confirmed.gain.value != 0
    assert confirmed.gain.low < confirmed.gain.value < confirmed.gain.high
    auc = [metrics.roc_auc_score(churned, said[name].p_churn) for name in ("other", "defaults")]
    assert confirmed.others["auc"].value == pytest.approx(auc[0] - auc[1], abs=1e-9)
    realised = value_model.realised(outcome)
    error = [np.abs(said[name].value - realised).mean() for name in ("defaults", "other")]
    confirmed = confirm.confirm(stages["value"], SETTINGS, other)
    assert confirmed.others["mae"].value == pytest.approx(error[0] - error[1], abs=1e-9)


def test_the_same_settings_gain_nothing_over_themselves(stages: Stages) -> None:
    for at in stages.values():
        confirmed = confirm.confirm(at, SETTINGS, SETTINGS)
        assert confirmed.gain == (0.0, 0.0, 0.0)
        assert not confirmed.is_beyond_noise


# --- what is kept


def test_only_what_gained_beyond_noise_is_kept(tuned: tune.Tuned) -> None:
    for found in tuned.found:
        gained = found.confirmed is not None and found.confirmed.gain.low > 0
        assert bool(found.values) == gained
        assert getattr(tuned.settings, f"{found.model}_trees") == found.values
        assert ("Kept." if gained else "The defaults are kept.") in found.verdict
    assert tuned.settings.trees == SETTINGS.trees


def test_the_variance_power_is_searched_for_value_alone(tuned: tune.Tuned) -> None:
    by_churn, by_value = (set(found.defaults) for found in tuned.found)
    assert by_value - by_churn == {"tweedie_variance_power"}


def test_where_the_space_holds_nothing_better_the_defaults_are_kept(purchases: Path, tmp_path: Path) -> None:
    """Trees that hardly move cannot be better than trees that learn."""
    space = Space(learning_rate=Range(low=1e-6, high=2e-6))
    chosen = SETTINGS.model_copy(update={"tune": Tune(trials=2, space=space)})
    result = search(purchases, tmp_path / "tune.db", chosen)
    assert result.settings == chosen
    for found in result.found:
        assert max(found.gains) < 0
        assert (found.best, found.confirmed, found.values) == (None, None, {})
        assert found.verdict.startswith("Nothing gained: no trial was better")


def test_what_is_written_is_what_train_reads(tuned: tune.Tuned, tmp_path: Path) -> None:
    as_toml.write(tuned, tmp_path / "tuned.toml")
    assert load(tmp_path / "tuned.toml", {}) == tuned.settings
    assert (tmp_path / "tuned.toml").read_text(encoding="utf-8").startswith("# tiercast tune for 1998-07-01")


# --- stopping and continuing


def finished(path: Path) -> list[tuple[int, str, str]]:
    """(study, number, when it was over) of each finished trial, read past Optuna."""
    asked = "select study_id, number, datetime_complete from trials where state in ('COMPLETE', 'PRUNED')"
    if not path.exists():
        return []
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path)) as file:
        return list(file.execute(asked))
    return []


def test_a_killed_search_goes_on_where_it_was(purchases: Path, tuned: tune.Tuned, tmp_path: Path) -> None:
    """Killed without warning after its first trials; the end is that of the search that was never stopped."""
    path, config = tmp_path / "tune.db", tmp_path / "tiercast.toml"
    config.write_text(as_toml.text(SETTINGS), encoding="utf-8")
    asked = ["tune", purchases, "--as-of", AS_OF, "--config", config, "--study", path, "--no-mlflow"]
    command = [*command_line.COMMAND, *map(str, asked), "--out", str(tmp_path / "tuned.toml")]
    process = subprocess.Popen(command, cwd=tmp_path, env=command_line.around(), stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 120
    while not finished(path) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = finished(path)
    assert 0 < len(before) < 8, "it was killed on its way"
    assert search(purchases, path) == tuned
    after = finished(path)
    assert set(before) < set(after), "what was finished was not done again"
    assert len(after) == 8


def test_more_trials_are_added_to_those_there_are(purchases: Path, tuned: tune.Tuned, tmp_path: Path) -> None:
    few = search(purchases, tmp_path / "tune.db", QUICK)
    assert [len(found.trials) for found in few.found] == [2, 2]
    for less, more in zip(few.found, tuned.found, strict=True):
        assert less.trials == more.trials[:2]


# --- refusals


def test_a_study_of_other_data_settings_or_space_is_refused(
    purchases: Path, tuned: tune.Tuned, study: Path, tmp_path: Path
) -> None:
    kept = study.read_bytes()
    other = {"trees": Trees(rounds=30, lambda_l2=1), "tune": Tune(space=Space(num_leaves=Range(low=4, high=9)))}
    with pytest.raises(errors.BadInput) as caught:
        search(purchases, study, SETTINGS.model_copy(update=other))
    assert caught.value.first == "trees.lambda_l2 was 10.0, now it is 1.0"
    assert caught.value.count == 7  # that one, the range of the leaves, and five ranges that are no longer searched
    fewer = parquet.read_table(purchases)
    parquet.write_table(fewer.slice(0, fewer.num_rows - 1), tmp_path / "fewer.parquet")
    with pytest.raises(errors.BadInput, match="data was"):
        search(tmp_path / "fewer.parquet", study)
    assert study.read_bytes() == kept


@pytest.mark.parametrize("as_of", [dt.date(1997, 12, 1), dt.date(1997, 3, 15)])
def test_too_short_a_history_is_refused_with_what_it_would_need(
    purchases: Path, tmp_path: Path, as_of: dt.date
) -> None:
    with pytest.raises(errors.NotEnoughData) as caught:
        search(purchases, tmp_path / "tune.db", as_of=as_of)
    assert caught.value.count == (as_of - dt.date(1997, 1, 1)).days
    assert caught.value.total == 405  # a holdout, a confirmation, a later window, one before it, and half of one
    assert "shorter horizons" in caught.value.hint


@pytest.mark.parametrize("days", [90, 31])
def test_the_least_history_is_enough_and_a_day_less_is_not(purchases: Path, days: int) -> None:
    chosen = SETTINGS.model_copy(update={"horizons": Horizons(churn_days=days, value_days=days)})
    with DuckDBEngine(threads=1) as engine:
        known = tune.read(engine, Sources(str(purchases)), AS_OF, SETTINGS.horizons)
        tables = sampling.draw(engine, known.tables, 0).tables
        enough = known.as_of - dt.timedelta(stage.needed_days(days))
        for first_on, is_enough in ((enough, True), (enough + dt.timedelta(1), False)):
            snapshots = train.open_snapshots(engine, tables, (first_on, known.as_of), chosen)
            assert (stage.set_up(snapshots, "churn", chosen) is not None) == is_enough
