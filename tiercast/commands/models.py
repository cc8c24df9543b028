"""`tiercast runs | compare | promote | rollback`: the life of a model in MLflow."""

from __future__ import annotations

import getpass
import os
import pathlib
from typing import TYPE_CHECKING, Annotated

import typer

from tiercast.commands import options
from tiercast.terminal import console, formatting

if TYPE_CHECKING:
    from tiercast.training.tracking.runs import RunRow

SHORT = 12
"""Signs of a run's id (of 32) in the table: every command takes them, and the line stays one line."""


def add_to(app: typer.Typer) -> None:
    app.command(epilog="Example: tiercast runs --limit 5")(runs)
    app.command(epilog="Example: tiercast compare 3f2a91c0 8be71d24 --html comparison.html")(compare)
    app.command(epilog="Example: tiercast promote 8be71d24 --why 'better Brier on June'")(promote)
    app.command(epilog="Example: tiercast rollback --why 'complaints from the call centre'")(rollback)


def runs(
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many runs, newest first.")] = 20,
    json: options.Json = False,
) -> None:
    """List training runs with their metrics on the holdout, newest first."""
    from tiercast.training.tracking import runs as tracked_runs
    from tiercast.training.tracking import store

    store.connect()
    rows = tracked_runs.runs(limit)
    if json:
        console.print_json({"runs": [row._asdict() for row in rows]})
        return
    names = ("AUC", "Brier", "ECE", "nGini", "MAE", "bias")
    columns = [("run", "left"), ("as of", "left"), ("grades", "left"), *((name, "right") for name in names)]
    columns.append(("version", "left"))
    console.print_table(f"{len(rows)} run{'' if len(rows) == 1 else 's'}", columns, [_cells(row) for row in rows])


def _cells(row: RunRow) -> list[str]:
    measured = (row.churn_auc, row.churn_brier, row.churn_ece, row.value_ngini, row.value_mae)
    version = " ".join(part for part in (row.version, *row.aliases) if part)
    letters = " ".join(row.grades.get(target, "–") for target in ("churn", "value"))
    numbers = [*(_number(each) for each in measured), formatting.percent(row.value_bias)]
    return [row.run_id[:SHORT], row.as_of, letters, *numbers, version]


def _number(number: float | None) -> str:
    return "–" if number is None else f"{number:,.2f}" if abs(number) >= 2 else f"{number:.3f}"


def compare(
    run: Annotated[list[str], typer.Argument(help="Two or more run ids, as `tiercast runs` lists them.")],
    html: Annotated[
        pathlib.Path | None,
        typer.Option("--html", help="Also write one page with pictures; it is kept in MLflow with each run too."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Put runs side by side: differences with paired intervals, customers who change tier, settings that differ."""
    from tiercast.terminal import comparison
    from tiercast.training.comparison import page, side_by_side
    from tiercast.training.tracking import compare as tracked_comparison
    from tiercast.training.tracking import store

    store.connect()
    with console.progress("compare", len(run) + 1) as step:
        step("reading")
        subjects = tracked_comparison.subjects(run)
        compared = side_by_side.compare(subjects, step)
        if html is not None:
            step("page")
            page.write(compared, subjects, html)
            tracked_comparison.keep_page(html, compared)
    if json:
        console.print_json(comparison.as_plain(compared) | {"html": str(html) if html else None})
        return
    comparison.print_comparison(compared)
    if html is not None:
        console.print_line(f"page {html}, kept with each run below comparisons/")


def promote(
    run: Annotated[str, typer.Argument(help="A run id or a version number of the registered model.")],
    why: Annotated[str | None, typer.Option("--why", help="The reason, kept with the promotion.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Promote although a gate refuses; needs --why.")] = False,
    json: options.Json = False,
) -> None:
    """Make a registered model the champion, if every numbered gate allows it (exit code 3 if not)."""
    from tiercast.training.tracking import registry, store

    store.connect()
    done = registry.promote(run, force=force, why=why, who=_user())
    if json:
        console.print_json(done._asdict() | {"gates": [gate._asdict() for gate in done.gates]})
        return
    for gate in done.gates:
        console.print_line(str(gate))
    console.print_line(f"version {done.version} is champion" + (f", before it {done.before}" if done.before else ""))


def rollback(
    why: Annotated[str, typer.Option("--why", help="The reason, kept with the rollback.")],
    json: options.Json = False,
) -> None:
    """Bring the previous champion back."""
    from tiercast.training.tracking import registry, store

    store.connect()
    done = registry.rollback(why, who=_user())
    if json:
        console.print_json(done._asdict())
        return
    console.print_line(f"version {done.version} is champion again, instead of {done.dropped}")


def _user() -> str:
    """The user's name; a container may run as a number without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
