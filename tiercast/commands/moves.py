"""`tiercast moves`: the customers who changed tier between two score files, and why."""

from __future__ import annotations

import pathlib
from typing import Annotated

import typer

from tiercast.commands import options
from tiercast.contract.errors import BadInput
from tiercast.terminal import console
from tiercast.workflows import moves as moves_workflow


def add_to(app: typer.Typer) -> None:
    app.command(epilog="Example: tiercast moves scores-may.parquet scores-june.parquet --out moves.parquet")(moves)


def moves(
    old: Annotated[str, typer.Argument(help="The older scores, as `tiercast score` wrote them.")],
    new: Annotated[str, typer.Argument(help="The newer scores, with the same horizons and currency.")],
    top: Annotated[int, typer.Option("--top", min=0, max=1000, help="How many of the largest falls to list.")] = 10,
    out: Annotated[
        pathlib.Path | None, typer.Option("--out", help="Write everybody who moved to this file, .parquet or .csv.")
    ] = None,
    plot: Annotated[
        pathlib.Path | None, typer.Option("--plot", help="Draw the migration matrix into this PNG file.")
    ] = None,
    lang: Annotated[str, typer.Option("--lang", help="Language of what is printed: en or zh.")] = "en",
    memory: options.Memory = None,
    json: options.Json = False,
) -> None:
    """Compare two days' scores: the migration matrix, the largest falls with their reasons, one line for a ticket."""
    language = options.parse_language(lang)
    if plot is not None and plot.suffix != ".png":
        raise BadInput("the picture is written as PNG", first=str(plot), hint=f"pass --plot {plot.with_suffix('.png')}")
    moved = moves_workflow.compare(old, new, top, out, memory)
    if plot is not None:
        moves_workflow.draw(moved, plot)
    from tiercast.terminal import moves as moves_tables

    if json:
        console.print_json(moves_tables.as_dict(moved, language) | {"out": None if out is None else str(out)})
        return
    moves_tables.print_moves(moved, language)
    for written in (out, plot):
        if written is not None:
            console.print_line(str(written))
