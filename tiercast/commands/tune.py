"""`tiercast tune`: search for better trees on windows before the holdout, and keep what gained beyond noise."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tiercast.commands import grouping, options
from tiercast.commands.train import print_trained
from tiercast.contract.errors import BadInput
from tiercast.terminal import console
from tiercast.workflows import train as train_workflow
from tiercast.workflows import tune as tune_workflow

if TYPE_CHECKING:
    from tiercast.features.reading import Sources
    from tiercast.training.tuning.tune import SearchResult, Tuned


def add_to(app: typer.Typer) -> None:
    example = "tiercast tune orders.parquet --as-of 2024-06-30 --churn-days 90 --value-days 90 --out tuned.toml"
    app.command(epilog=f"Example: {example}")(grouping.expand(tune))


def tune(
    source: options.SourceOptions,
    *,
    as_of: options.AsOf = None,
    settings: options.SettingsOptions,
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
    json: options.Json = False,
) -> None:
    """Search for better trees on windows that were over before the holdout, and keep what gains beyond noise."""
    if register and not (train and tracked):
        hint = "add --train" if not train else "leave out --no-mlflow"
        raise BadInput("--register needs a training that MLflow knows of", first="--register", hint=hint)
    from tiercast.training.tuning import as_toml

    chosen = settings.load()
    if trials is not None:
        chosen = chosen.model_copy(update={"tune": chosen.tune.model_copy(update={"trials": trials})})
    sources, day = source.sources(chosen), options.parse_day(as_of)
    _check_outputs(out, settings.config, study, bundle if train else None)
    tuned, tuning_run = tune_workflow.tune(sources, day, chosen, study, tracked=tracked)
    as_toml.write(tuned, out)
    facts = _summarize(tuned, out, study, tuning_run)
    if not json:
        _print(tuned, out, tuning_run)
    if train:
        facts |= _train(sources, tuned, bundle, tuning_run, register=register, prints=not json)
    if json:
        console.print_json(facts)


def _check_outputs(
    out: pathlib.Path, config: pathlib.Path | None, study: pathlib.Path, bundle: pathlib.Path | None
) -> None:
    """Before hours of search, not after: can everything be written? Raises CannotWrite and BadInput."""
    from tiercast.models import bundle_folder
    from tiercast.training.tuning import as_toml, study_file

    as_toml.check(out, config)
    study_file.check(study)
    if bundle is not None:
        bundle_folder.check(bundle)


def _train(
    sources: Sources, tuned: Tuned, bundle: pathlib.Path, tuning_run: str | None, *, register: bool, prints: bool
) -> dict[str, Any]:
    """Train as usual with the tuned settings; the run names the search."""
    trained, run = train_workflow.train(
        sources, tuned.as_of, tuned.settings, bundle, register=register, tracked=tuning_run is not None
    )
    if run and tuning_run:
        from tiercast.training.tracking import tuning as log_tuning

        log_tuning.link(run, tuning_run)
    if prints:
        print_trained(trained, bundle, run)
    return {"bundle": str(bundle), "run": run, **trained.bundle.scorecard}


def _print(tuned: Tuned, out: pathlib.Path, tuning_run: str | None) -> None:
    from tiercast.terminal import tuning as tuning_tables

    for search in tuned.found:
        tuning_tables.print_search(search)
    for text in tuned.notes:
        console.print_line(f"* {text}")
    logged = f", run {tuning_run}" if tuning_run else ""
    console.print_line(f"tuned on what was known before {tuned.known_until}: settings {out}{logged}")


def _summarize(tuned: Tuned, out: pathlib.Path, study: pathlib.Path, tuning_run: str | None) -> dict[str, Any]:
    """The facts of the search for --json."""
    return {
        "out": str(out),
        "study": str(study),
        "tuning_run": tuning_run,
        "as_of": tuned.as_of,
        "known_until": tuned.known_until,
        "notes": tuned.notes,
        "tuned": {search.model: _as_dict(search) for search in tuned.found},
    }


def _as_dict(search: SearchResult) -> dict[str, Any]:
    confirmed = search.confirmed
    return {
        "kept": search.values,
        "verdict": search.verdict,
        "searched_on": search.searched_on,
        "trials": len(search.trials),
        "pruned": sum(trial.is_pruned for trial in search.trials),
        "best": search.best._asdict() if search.best else None,
        "gain_searched": search.gains[search.best.number - 1] if search.best else None,
        "confirmed_on": confirmed.as_of if confirmed else None,
        "gain": confirmed.gain._asdict() if confirmed else None,
        "others": {name: metric._asdict() for name, metric in confirmed.others.items()} if confirmed else {},
        "importance": search.importance,
    }
