"""`tiercast tune`: search for better trees on windows before the holdout, and keep what gained beyond noise."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tiercast import options, say
from tiercast.commands import train as training
from tiercast.contract.errors import BadInput

if TYPE_CHECKING:
    from tiercast.features.reading import Sources
    from tiercast.training.settings import Settings
    from tiercast.training.tuning.tune import Found, Tuned


def add_to(app: typer.Typer) -> None:
    example = "tiercast tune orders.parquet --as-of 2024-06-30 --churn-days 90 --value-days 90 --out tuned.toml"
    app.command(epilog=f"Example: {example}")(tune)


def tune(
    data: options.Data,
    as_of: options.AsOf = None,
    churn_days: options.ChurnDays = None,
    value_days: options.ValueDays = None,
    config: options.Config = None,
    trials: Annotated[
        int | None, typer.Option("--trials", min=1, help="Trials per model, earlier ones included (default 40).")
    ] = None,
    study: Annotated[
        pathlib.Path, typer.Option("--study", help="File that keeps the trials; the same call continues it.")
    ] = pathlib.Path("out/tune.db"),
    out: Annotated[
        pathlib.Path, typer.Option("--out", help="Where to write the settings that `train --config` reads.")
    ] = pathlib.Path("out/tuned.toml"),
    train: Annotated[bool, typer.Option("--train", help="Train with them afterwards, on everything.")] = False,
    bundle: Annotated[
        pathlib.Path, typer.Option("--bundle", help="With --train: the folder to write the bundle to.")
    ] = pathlib.Path("out/bundle"),
    register: Annotated[
        bool, typer.Option("--register", help="With --train: register the bundle in MLflow as challenger.")
    ] = False,
    tracked: options.Tracked = True,
    customers: options.Customers = None,
    interactions: options.Interactions = None,
    column: options.ColumnNames = None,
    json: options.Json = False,
) -> None:
    """Search for better trees on windows that were over before the holdout, and keep what gains beyond noise."""
    if register and not (train and tracked):
        hint = "add --train" if not train else "leave out --no-mlflow"
        raise BadInput("--register needs a training that MLflow knows of", first="--register", hint=hint)
    from tiercast.training.tuning import as_toml, study_file

    chosen = options.settings(config, churn_days, value_days)
    if trials is not None:
        chosen = chosen.model_copy(update={"tune": chosen.tune.model_copy(update={"trials": trials})})
    where = options.sources(data, customers, interactions, column, chosen.columns)
    as_toml.check(out, config)
    study_file.check(study)
    if train:
        _check_bundle(bundle)
    tuned, tuning_run = _search(where, as_of, chosen, study, tracked=tracked)
    as_toml.write(tuned, out)
    told = _summary(tuned, out, study, tuning_run)
    if not json:
        _show(tuned, out, tuning_run)
    if train:
        told |= _train(where, tuned, bundle, tuning_run, register=register, is_quiet=json)
    if json:
        say.as_json(told)


def _search(
    where: Sources, as_of: str | None, chosen: Settings, study: pathlib.Path, *, tracked: bool
) -> tuple[Tuned, str | None]:
    """The search with a bar on the terminal, and the id of its run, or None when nothing is logged."""
    from tiercast.features.engines.duckdb import Engine
    from tiercast.training.tuning import tune as tuning

    day = options.day(as_of)
    if tracked:
        from tiercast.training.tracking import store

        store.connect()
    steps = len(tuning.MODELS) * (chosen.tune.trials + 2) + 3
    with Engine() as engine, say.progress("tune", steps) as step:
        step("reading")
        known = tuning.read(engine, where, day, chosen.horizons)
        tuned = tuning.tune(engine, known, chosen, study, step)
        if day is None:
            say.note(f"--as-of was not given: {tuned.as_of}, the day after the newest transaction, is taken.")
        if not tracked:
            return tuned, None
        from tiercast.training.tracking import tuning as log_tuning

        step("logging")
        return tuned, log_tuning.log(tuned)


def _train(
    where: Sources, tuned: Tuned, bundle: pathlib.Path, tuning_run: str | None, *, register: bool, is_quiet: bool
) -> dict[str, Any]:
    """The training as usual, with what was found; its run names the search."""
    tracked = tuning_run is not None
    day = tuned.as_of.isoformat()
    trained, run = training.fit_and_keep(where, day, tuned.settings, bundle, register=register, tracked=tracked)
    if run and tuning_run:
        from tiercast.training.tracking import tuning as log_tuning

        log_tuning.link(run, tuning_run)
    if not is_quiet:
        training.tell(trained, bundle, run)
    return {"bundle": str(bundle), "run": run, **trained.bundle.scorecard}


def _check_bundle(bundle: pathlib.Path) -> None:
    """Before hours of search, not after."""
    from tiercast.models import bundle_folder

    bundle_folder.check(bundle)


def _show(tuned: Tuned, out: pathlib.Path, tuning_run: str | None) -> None:
    from tiercast import show_tuning

    for found in tuned.found:
        show_tuning.search(found)
    for text in tuned.notes:
        say.line(f"* {text}")
    logged = f", run {tuning_run}" if tuning_run else ""
    say.line(f"tuned on what was known before {tuned.known_until}: settings {out}{logged}")


def _summary(tuned: Tuned, out: pathlib.Path, study: pathlib.Path, tuning_run: str | None) -> dict[str, Any]:
    """What a job wants to know of the search."""
    return {
        "out": str(out),
        "study": str(study),
        "tuning_run": tuning_run,
        "as_of": tuned.as_of,
        "known_until": tuned.known_until,
        "notes": tuned.notes,
        "tuned": {found.model: _found(found) for found in tuned.found},
    }


def _found(found: Found) -> dict[str, Any]:
    confirmed = found.confirmed
    return {
        "kept": found.values,
        "verdict": found.verdict,
        "searched_on": found.searched_on,
        "trials": len(found.trials),
        "pruned": sum(trial.is_pruned for trial in found.trials),
        "best": found.best._asdict() if found.best else None,
        "gain_searched": found.gains[found.best.number - 1] if found.best else None,
        "confirmed_on": confirmed.as_of if confirmed else None,
        "gain": confirmed.gain._asdict() if confirmed else None,
        "others": {name: metric._asdict() for name, metric in confirmed.others.items()} if confirmed else {},
        "importance": found.importance,
    }
