"""Output of the command line: results on stdout, progress and errors on stderr, one JSON object for machines."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tiercast.contract import errors, files, strict_json

if TYPE_CHECKING:
    from rich.table import Table

    from tiercast.contract.errors import TiercastError


def print_error(error: TiercastError, *, as_json: bool) -> None:
    """The four parts of an error on stderr; with --json also as the one object on stdout."""
    if as_json:
        print_json({"error": error.as_dict()})
    print(str(error), file=sys.stderr)


def print_json(data: Any) -> None:
    """One object on stdout. NaN becomes null, because JSON has no NaN."""
    print_line(strict_json.dumps(data))


def print_line(text: str) -> None:
    """A line of the result, on stdout."""
    with _to_stdout():
        print(text, flush=True)


def print_note(text: str) -> None:
    """A message that is not part of the result, on stderr."""
    print(text, file=sys.stderr)


def print_table(title: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> None:
    """A table on stdout; each column is its name and "left" or "right"."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    with _to_stdout():
        console.print(_table(title, columns, rows))
        sys.stdout.flush()


@contextlib.contextmanager
def _to_stdout() -> Iterator[None]:
    """Raise `CannotWrite` where stdout is a file on a full disk; typer ends the command where a pipe was closed."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python writes what is left when it exits
        hint = "write it to a place with space left"
        what = f"the result cannot be written: {files.reason(error)}"
        raise errors.CannotWrite(what, first="standard output", hint=hint) from error


def _table(title: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, side in columns:
        table.add_column(name, justify="right" if side == "right" else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


@contextlib.contextmanager
def progress(job: str, total: int) -> Iterator[Callable[[str], None]]:
    """A bar on stderr, only on a terminal. Call the yielded function with the name of each step as it starts."""
    if not sys.stderr.isatty():
        yield lambda name: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn(),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task(job, total=total)
        started = 0

        def on_step(name: str) -> None:
            nonlocal started
            bar.update(task, description=f"{job}: {name}", completed=started)
            started += 1

        yield on_step
        bar.update(task, completed=total)
