"""How the command line speaks: results on stdout, progress and errors on stderr, one JSON object for machines."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tiercast.contract import strict_json

if TYPE_CHECKING:
    from rich.table import Table

    from tiercast.contract.errors import TiercastError


def refuse(error: TiercastError, *, as_json: bool) -> None:
    """The four parts of an error; with --json they are the one object on stdout."""
    if as_json:
        print(strict_json.dumps({"error": error.as_dict()}))
    print(str(error), file=sys.stderr)


def as_json(data: Any) -> None:
    """One object; what is no number (an AUC with one class only) is null, for JSON has no NaN."""
    print(strict_json.dumps(data))


def line(text: str) -> None:
    print(text)


def note(text: str) -> None:
    """Something to know that is no result."""
    print(text, file=sys.stderr)


def table(title: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> None:
    """A table; each column is its name and "left" or "right"."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    console.print(_table(title, columns, rows))


def _table(title: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> Table:
    from rich import box
    from rich.table import Table

    drawn = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, side in columns:
        drawn.add_column(name, justify="right" if side == "right" else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*row)
    return drawn


@contextlib.contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[str], None]]:
    """A bar on stderr, only on a terminal. Each call of what it yields names the step that begins."""
    if not sys.stderr.isatty():
        yield lambda name: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    shown = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn(),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    with shown:
        task = shown.add_task(what, total=total)
        begun = 0

        def step(name: str) -> None:
            nonlocal begun
            shown.update(task, description=f"{what}: {name}", completed=begun)
            begun += 1

        yield step
        shown.update(task, completed=total)


def money(number: float | None) -> str:
    return "–" if number is None else f"{number:,.0f}" if abs(number) >= 100 else f"{number:,.2f}"


def percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
