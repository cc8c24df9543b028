"""`tiercast backtest`: last months' forecasts against what happened, date by date."""

from __future__ import annotations

import functools
import pathlib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tiercast import options, say
from tiercast.contract.errors import BadInput

if TYPE_CHECKING:
    from tiercast.models.bundle import Bundle
    from tiercast.training.backtest.plan import Asked
    from tiercast.training.backtest.study import Study
    from tiercast.training.settings import Settings

RUN = "run.json"


def add_to(app: typer.Typer) -> None:
    example = "tiercast backtest orders.parquet --from 2024-01-01 --to 2024-06-01 --every 30d --value-days 90"
    app.command(epilog=f"Example: {example}")(backtest)


def backtest(
    data: options.Data,
    first: Annotated[str, typer.Option("--from", help="The first date to replay, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="The last date to replay, YYYY-MM-DD.")],
    every: Annotated[
        str, typer.Option("--every", help="The step between dates: days, weeks or months (30d, 2w, 1m).")
    ] = "30d",
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help="Where the data end, YYYY-MM-DD: left out, the day after the newest row."),
    ] = None,
    churn_days: options.ChurnDays = None,
    value_days: options.ValueDays = None,
    bundle: Annotated[
        pathlib.Path | None,
        typer.Option("--bundle", help="Judge this bundle on each date, instead of training on what was known then."),
    ] = None,
    model: options.Model = None,
    out: Annotated[
        pathlib.Path, typer.Option("--out", help="Folder for the results; finished dates in it are not repeated.")
    ] = pathlib.Path("backtest"),
    config: options.Config = None,
    tracked: options.Tracked = True,
    customers: options.Customers = None,
    interactions: options.Interactions = None,
    column: options.ColumnNames = None,
    memory: options.Memory = None,
    json: options.Json = False,
) -> None:
    """Replay history: on each date train (or score) on what was known, then compare with what happened."""
    asked = _asked(first, last, every)
    chosen = options.settings(config, churn_days, value_days)
    loaded = _load(bundle, model)
    chosen = _with_horizons_of(loaded, chosen) if loaded else chosen
    where = options.sources(data, customers, interactions, column, chosen.columns)
    done, run = replay(where, as_of, asked, chosen, out, loaded, tracked=tracked, memory=memory)
    if as_of is None:
        say.note(f"--as-of was not given: the data end on {done.known_until}, the day after the newest transaction.")
    if json:
        say.as_json({"out": str(out), "run": run, "dates_taken_from_out": done.n_kept, **done.as_dict()})
        return
    from tiercast import show_backtest

    show_backtest.study(done)
    say.line(f"{show_backtest.count(done)}: {out}" + (f", run {run}" if run else ""))


def replay(
    where: Any,
    as_of: str | None,
    asked: Asked,
    chosen: Settings,
    out: pathlib.Path,
    bundle: Bundle | None,
    *,
    tracked: bool,
    memory: str | None = None,
) -> tuple[Study, str | None]:
    """Judge every date, write the folder, log the run; the run's id, or None when nothing is logged."""
    from tiercast.features.engines.duckdb import Engine
    from tiercast.serving.batch import output
    from tiercast.training.backtest import figures, folder, plan, study

    output.refuse_input(out / study.SUMMARY, where)
    if tracked:
        from tiercast.training.tracking import store

        store.connect()
    steps = len(plan.dates(asked)) + 3
    with Engine(memory=memory) as engine, say.progress("backtest", steps) as step:
        done = study.run(engine, where, options.day(as_of), asked, chosen, out, bundle=bundle, tell=step)
        step("writing")
        for name, figure in figures.draw(done):
            folder.put(out / name, functools.partial(figure.savefig, format="png"))
        return done, _logged(done, out) if tracked else None


def _logged(done: Study, out: pathlib.Path) -> str:
    """The run of this very backtest: the one that is there, or else a new one."""
    import hashlib

    from tiercast.contract import strict_json
    from tiercast.training.backtest import folder
    from tiercast.training.tracking import log_backtest

    stamp = hashlib.sha256(strict_json.dumps(done.as_dict(), sort_keys=True).encode()).hexdigest()
    kept = folder.get_json(out / RUN)
    if kept.get("summary") == stamp and log_backtest.is_logged(str(kept.get("run"))):
        return str(kept["run"])
    run = log_backtest.log(done)
    folder.put_json(out / RUN, {"run": run, "summary": stamp})
    return run


def _asked(first: str, last: str, every: str) -> Asked:
    from tiercast.training.backtest import plan

    return plan.Asked(options.date(first, "--from"), options.date(last, "--to"), plan.every(every))


def _load(bundle: pathlib.Path | None, model: str | None) -> Bundle | None:
    from tiercast.commands import score

    return score.load(bundle, model) if bundle or model else None


def _with_horizons_of(bundle: Bundle, chosen: Settings) -> Settings:
    """The bundle's own horizons. Raises BadInput where others are asked for."""
    about, asked = bundle.about, chosen.horizons
    own = {"churn_days": about.churn_days, "value_days": about.value_days}
    other = [name for name in sorted(asked.model_fields_set) if getattr(asked, name) != own[name]]
    if other:
        name = other[0]
        raise BadInput(
            "the bundle answers for another horizon",
            first=f"{name} {getattr(asked, name)}, the bundle's {own[name]}",
            hint="leave out --churn-days and --value-days: the bundle's own are taken; or leave out --bundle",
        )
    return chosen.model_copy(update={"horizons": type(asked)(**own)})
