"""The command line. Heavy libraries load only when a command needs them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from tiercast.commands import (
    backtest,
    check,
    demo,
    explain,
    keys,
    models,
    moves,
    publish,
    score,
    serve,
    train,
    tune,
    watch,
)
from tiercast.contract.errors import BadInput, TiercastError
from tiercast.terminal import console

app = typer.Typer(
    name="tiercast",
    help="Forward-looking customer tiers: how much each customer will be worth, how likely they are to leave, and why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
COMMANDS = (demo, check, train, tune, backtest, score, explain, moves, watch, models, publish, keys, serve)
for commands in COMMANDS:
    commands.add_to(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command. Exit codes: 0 done, 1 failed, 2 wrong usage or bad input, 3 a gate refused or a watch alarmed."""
    try:
        app(args=list(arguments) if arguments is not None else None)
    except ModuleNotFoundError as error:  # an image that only scores and serves, or an extra that was left out
        _exit(_as_bad_input(error), arguments)
    except TiercastError as error:
        _exit(error, arguments)
    except Exception as error:
        translated = _translate_engine_error(error)
        if translated is None:
            raise
        _exit(translated, arguments)
    except KeyboardInterrupt:
        print("Stopped. Nothing half-written was left behind.", file=sys.stderr)
        sys.exit(130)


def _exit(error: TiercastError, arguments: Sequence[str] | None) -> NoReturn:
    console.print_error(error, as_json="--json" in (arguments or sys.argv[1:]))
    sys.exit(error.exit_code)


def _as_bad_input(error: ModuleNotFoundError) -> BadInput:
    return BadInput(
        "this installation lacks a part that the command needs",
        first=error.name or str(error),
        hint="pip install 'tiercast[train,serve]', or run the command where Tiercast is installed in full",
    )


def _translate_engine_error(error: Exception) -> TiercastError | None:
    """Ours for an error of DuckDB, which may come late, from a row far down a file; None for any other."""
    if type(error).__module__ not in ("duckdb", "_duckdb"):
        return None
    from tiercast.features.engines import duckdb_errors

    return duckdb_errors.translate_late(error)


if __name__ == "__main__":
    main()
