"""`tiercast moves`: who moved on the grid between two score files, who fell, and why."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Annotated

import typer

from tiercast import options, say
from tiercast.contract.errors import BadInput

if TYPE_CHECKING:
    from tiercast.serving.batch.tier_moves import TierMoves


def add_to(app: typer.Typer) -> None:
    app.command(epilog="Example: tiercast moves scores-may.parquet scores-june.parquet --out moves.parquet")(moves)


def moves(
    old: Annotated[str, typer.Argument(help="The older scores, as `tiercast score` wrote them.")],
    new: Annotated[str, typer.Argument(help="The newer scores, with the same horizons and currency.")],
    top: Annotated[int, typer.Option("--top", min=0, max=1000, help="How many of the largest falls to list.")] = 10,
    out: Annotated[
        pathlib.Path | None, typer.Option("--out", help="Write everybody who moved to this Parquet file.")
    ] = None,
    plot: Annotated[
        pathlib.Path | None, typer.Option("--plot", help="Draw the migration matrix into this PNG file.")
    ] = None,
    lang: Annotated[str, typer.Option("--lang", help="Language of what is printed: en or zh.")] = "en",
    memory: options.Memory = None,
    json: options.Json = False,
) -> None:
    """Compare two days' scores: the migration matrix, the largest falls with their reasons, one line for a ticket."""
    spoken = options.language(lang)
    if plot is not None and plot.suffix != ".png":
        raise BadInput("the picture is written as PNG", first=str(plot), hint=f"pass --plot {plot.with_suffix('.png')}")
    found = run(old, new, top, out, memory)
    if plot is not None:
        draw(found, plot)
    from tiercast import show_moves

    if json:
        say.as_json(show_moves.plain(found, spoken) | {"out": None if out is None else str(out)})
        return
    show_moves.tell(found, spoken)
    for written in (out, plot):
        if written is not None:
            say.line(str(written))


def run(old: str, new: str, top: int, out: pathlib.Path | None, memory: str | None) -> TierMoves:
    """Compare with a bar on the terminal."""
    from tiercast.features.engines.duckdb import Engine
    from tiercast.serving.batch import tier_moves

    with Engine(memory=memory) as engine, say.progress("moves", len(tier_moves.STEPS)) as step:
        return tier_moves.compare(engine, old, new, top=top, out=out, on_step=step)


def draw(found: TierMoves, plot: pathlib.Path) -> None:
    """Write the heatmap. Raises BadInput where matplotlib is missing, CannotWrite where the file cannot be."""
    from tiercast.contract import errors

    try:
        from tiercast.training.plots import moves as picture
    except ImportError as error:
        hint = "pip install 'tiercast[train]', or leave out --plot"
        raise BadInput("matplotlib is not installed", first=str(error), hint=hint) from error
    try:
        picture.migration(found.matrix, str(found.old.as_of), str(found.new.as_of)).savefig(plot)
    except OSError as error:
        hint = "check the permissions, or pass another --plot"
        raise errors.CannotWrite(
            f"the picture cannot be written: {error.strerror}", first=str(plot), hint=hint
        ) from error
