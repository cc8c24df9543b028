"""Compare two score files, and draw the comparison."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

from tiercast.contract import errors
from tiercast.terminal import console

if TYPE_CHECKING:
    from tiercast.serving.batch.tier_moves import TierMoves


def compare(old: str, new: str, top: int, out: pathlib.Path | None, memory: str | None) -> TierMoves:
    """The customers who changed tier. `out` receives all of them, the result the `top` largest falls."""
    from tiercast.features.engines.duckdb import Engine
    from tiercast.serving.batch import tier_moves

    with Engine(memory=memory) as engine, console.progress("moves", len(tier_moves.STEPS)) as on_step:
        return tier_moves.compare(engine, old, new, top=top, out=out, on_step=on_step)


def draw(moved: TierMoves, plot: pathlib.Path) -> None:
    """Write the heatmap. Raises BadInput where matplotlib is missing, CannotWrite where the file cannot be written."""
    try:
        from tiercast.training.plots import moves as picture
    except ImportError as error:
        hint = "pip install 'tiercast[train]', or leave out --plot"
        raise errors.BadInput("matplotlib is not installed", first=str(error), hint=hint) from error
    figure = picture.migration(moved.matrix, str(moved.old.as_of), str(moved.new.as_of))
    try:
        figure.savefig(plot)
    except OSError as error:
        what, hint = f"the picture cannot be written: {error.strerror}", "check the permissions, or pass another --plot"
        raise errors.CannotWrite(what, first=str(plot), hint=hint) from error
