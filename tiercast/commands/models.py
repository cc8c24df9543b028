"""`tiercast runs | compare | promote | rollback`: the life of a model in MLflow."""

from __future__ import annotations

import getpass
from typing import Annotated, Any

import typer

from tiercast import options, say


def add_to(app: typer.Typer) -> None:
    app.command(epilog="Example: tiercast runs --limit 5")(runs)
    app.command(epilog="Example: tiercast compare 3f2a91c0 8be71d24")(compare)
    app.command(epilog="Example: tiercast promote 8be71d24 --why 'better Brier on June'")(promote)
    app.command(epilog="Example: tiercast rollback --why 'complaints from the call centre'")(rollback)


def runs(
    limit: Annotated[int, typer.Option("--limit", help="How many runs, newest first.")] = 20, json: options.Json = False
) -> None:
    """List training runs with what the holdout said, newest first."""
    from training.tracking import runs as tracked
    from training.tracking import store

    store.connect()
    found = tracked.runs(limit)
    if json:
        say.as_json({"runs": [row._asdict() for row in found]})
        return
    columns = [("run", "left"), ("as of", "left"), ("AUC", "right"), ("Brier", "right"), ("ECE", "right"),
               ("nGini", "right"), ("MAE", "right"), ("bias", "right"), ("version", "left")]  # fmt: skip
    say.table(f"{len(found)} runs", columns, [tracked.cells(row) for row in found])


def compare(
    run: Annotated[list[str], typer.Argument(help="Two or more run ids (their beginning is enough).")],
    json: options.Json = False,
) -> None:
    """Put runs side by side: the parameters that differ, and every metric with its interval."""
    from training.tracking import runs as tracked
    from training.tracking import store

    store.connect()
    found = tracked.compare(run)
    if json:
        say.as_json(found)
        return
    columns = [("", "left"), *((one, "right") for one in found["runs"])]
    for part in ("metrics", "parameters"):
        say.table(part, columns, [[name, *values] for name, values in found[part].items()])


def promote(
    run: Annotated[str, typer.Argument(help="A run id or a version number of the registered model.")],
    why: Annotated[str | None, typer.Option("--why", help="The reason, kept with the promotion.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Promote although a gate refuses; needs --why.")] = False,
    json: options.Json = False,
) -> None:
    """Make a registered model the champion, if every numbered gate allows it (exit code 3 if not)."""
    from training.tracking import registry, store

    store.connect()
    done: Any = registry.promote(run, force=force, why=why, who=getpass.getuser())
    say.as_json(done._asdict()) if json else say.line(str(done))


def rollback(
    why: Annotated[str, typer.Option("--why", help="The reason, kept with the rollback.")],
    json: options.Json = False,
) -> None:
    """Bring the previous champion back."""
    from training.tracking import registry, store

    store.connect()
    done: Any = registry.rollback(why, who=getpass.getuser())
    say.as_json(done._asdict()) if json else say.line(str(done))
