"""`tiercast publish` and `tiercast generations`: put scores into the store, list its generations, go back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tiercast.commands import options
from tiercast.contract.errors import BadInput
from tiercast.terminal import console, formatting
from tiercast.workflows import publish as publish_workflow

if TYPE_CHECKING:
    from tiercast.serving.store.database import Store
    from tiercast.serving.store.generations import Generation
    from tiercast.serving.store.publish import Published


NICENESS = 5
"""Readers of the store go first where a publish has to share a machine with them."""


def add_to(app: typer.Typer) -> None:
    app.command(epilog="Example: tiercast publish scores.parquet --store scores.db")(publish)
    app.command(epilog="Example: tiercast generations --store scores.db --rollback")(generations)


def publish(
    scores: Annotated[str, typer.Argument(help="The score file, as `tiercast score` wrote it.")],
    store: options.Store = None,
    keep: Annotated[
        int | None, typer.Option("--keep", min=1, max=1000, help="How many generations stay kept (default 13).")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Publish scores of an earlier day than those that are served.")
    ] = False,
    memory: options.Memory = None,
    json: options.Json = False,
) -> None:
    """Serve these scores from now on: loaded beside the old ones, then switched in one step."""
    os.nice(NICENESS)
    engine = _open(store, create=True)
    done = publish_workflow.publish(engine, scores, keep, force=force, memory=memory)
    if json:
        result = {"is_new": done.is_new, "pruned": done.pruned, "swept": done.swept}
        console.print_json({"generation": _as_dict(done.generation)} | result)
        return
    for text in _lines(done):
        console.print_line(text)


def generations(
    store: options.Store = None,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Serve the generation before the current one again, or --to another.")
    ] = False,
    to: Annotated[int | None, typer.Option("--to", help="With --rollback: the number of the generation.")] = None,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Bring an older store to the schema of this version first.")
    ] = False,
    json: options.Json = False,
) -> None:
    """List the published generations of scores, the newest first; go back to an earlier one."""
    if to is not None and not rollback:
        raise BadInput(
            "--to says where to go back to", first=f"--to {to}", hint=f"add --rollback: --rollback --to {to}"
        )
    engine = _open(store)
    from tiercast.serving.store import generations as store_generations
    from tiercast.serving.store import migrations

    if upgrade:
        migrations.upgrade(engine)
    migrations.require(engine)
    if rollback:
        store_generations.rollback(engine, to)
    kept = store_generations.ready(engine)
    if json:
        console.print_json({"generations": [_as_dict(each) for each in kept]})
        return
    if kept:
        console.print_table("", COLUMNS, [_row(each) for each in kept])
    console.print_line(
        next((f"served: {_line(each)}" for each in kept if each.is_current), "nothing was published yet")
    )


COLUMNS = [(name, "right") for name in ("", "generation", "as of", "customers", "value")]
COLUMNS += [("model", "left"), ("published", "left")]


def _open(store: str | None, *, create: bool = False) -> Store:
    """The named store. Raises BadInput where none is named."""
    if not store:
        hint = "pass --store scores.db or --store postgresql://user@host/database, or set TIERCAST_STORE"
        raise BadInput("no score store is named", first="no --store", hint=hint)
    from tiercast.serving.store import database

    return database.open(store, create=create)


def _lines(done: Published) -> list[str]:
    """The removed generations, and one line for a ticket."""
    if not done.is_new:
        return [f"nothing to do: this file is served already, {_line(done.generation)}"]
    gone = [f"removed what a stopped publish left behind: generation {each}" for each in done.swept]
    gone += [f"no longer kept: generation {each}" for each in done.pruned]
    return [*gone, f"published: {_line(done.generation)}"]


def _line(each: Generation) -> str:
    return f"generation {each.id}, {each.n_customers:,} customers as of {each.as_of}, model {each.model}"


def _row(each: Generation) -> list[str]:
    published = f"{each.published_at:%Y-%m-%d %H:%M} UTC"
    mark = "→" if each.is_current else ""
    value = formatting.money(each.value_total)
    return [mark, str(each.id), str(each.as_of), f"{each.n_customers:,}", value, each.model, published]


def _as_dict(each: Generation) -> dict[str, Any]:
    """The facts for a machine."""
    facts = each._asdict() | {"published_at": each.published_at.isoformat(timespec="seconds")}
    del facts["columns"]  # of interest to the store only
    return facts
