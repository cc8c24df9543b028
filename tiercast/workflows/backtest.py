"""Replay past dates, write the folder of results, log the run."""

from __future__ import annotations

import datetime as dt
import hashlib
import pathlib
from typing import TYPE_CHECKING

from tiercast.contract import strict_json
from tiercast.terminal import console

if TYPE_CHECKING:
    from tiercast.features.reading import Sources
    from tiercast.models.bundle import Bundle
    from tiercast.training.backtest.plan import DateRange
    from tiercast.training.backtest.study import Backtest
    from tiercast.training.settings import Settings

RUN = "run.json"


def replay(
    sources: Sources,
    as_of: dt.date | None,
    dates: DateRange,
    settings: Settings,
    out: pathlib.Path,
    bundle: Bundle | None,
    *,
    tracked: bool,
    memory: str | None = None,
) -> tuple[Backtest, str | None]:
    """The study and the id of its MLflow run, or None where `tracked` is false. Without `bundle` each date trains."""
    from tiercast.features.engines.duckdb import Engine
    from tiercast.serving.batch import output
    from tiercast.training.backtest import figures, folder, plan, study

    output.refuse_input(out / study.SUMMARY, sources)
    if tracked:
        from tiercast.training.tracking import store

        store.connect()
    steps = len(plan.dates(dates)) + 3
    with Engine(memory=memory) as engine, console.progress("backtest", steps) as on_step:
        done = study.run(engine, sources, as_of, dates, settings, out, bundle=bundle, on_step=on_step)
        on_step("writing")
        for name, figure in figures.draw(done):
            with folder.replace_file(out / name) as part:
                figure.savefig(part, format="png")
        return done, _log(done, out) if tracked else None


def _log(done: Backtest, out: pathlib.Path) -> str:
    """The id of the run with this very summary: the logged one if there is one, else a new one."""
    from tiercast.training.backtest import folder
    from tiercast.training.tracking import log_backtest

    digest = hashlib.sha256(strict_json.dumps(done.as_dict(), sort_keys=True).encode()).hexdigest()
    kept = folder.get_json(out / RUN)
    if kept.get("summary") == digest and log_backtest.is_logged(str(kept.get("run"))):
        return str(kept["run"])
    run = log_backtest.log(done)
    folder.put_json(out / RUN, {"run": run, "summary": digest})
    return run
