"""The command line: what a person or a job types. Heavy libraries load only when a command needs them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from contract.errors import TiercastError
from tiercast import say
from tiercast.commands import backtest, check, demo, explain, keys, models, moves, score, serve, train, tune, watch

app = typer.Typer(
    name="tiercast",
    help="Forward-looking customer tiers: how much each customer will be worth, how likely they are to leave, and why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for commands in (demo, check, train, tune, backtest, score, explain, moves, watch, models, keys, serve):
    commands.add_to(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command. Exit codes: 0 done, 1 failed, 2 wrong usage or bad input, 3 a gate refused or a watch alarmed."""
    try:
        app(args=list(arguments) if arguments is not None else None)
    except TiercastError as error:
        say.refuse(error, as_json="--json" in (arguments or sys.argv[1:]))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("Stopped. Nothing half-written was left behind.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
