"""Commands take groups of options as dataclasses; Typer and the user see single options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer
from typer.testing import CliRunner

from tiercast.commands import grouping


@dataclass(frozen=True)
class Place:
    """A group with a required argument and an option."""

    path: Annotated[str, typer.Argument(help="Where.")]
    limit: Annotated[int, typer.Option("--limit", help="How many.")] = 5


def run(*arguments: str) -> tuple[int, list[Any], str]:
    """The exit code, what the command received, and what was printed."""
    received: list[Any] = []

    def command(place: Place, *, day: Annotated[str | None, typer.Option("--day", help="When.")] = None) -> None:
        """A command."""
        received.extend((place, day))

    app = typer.Typer()
    app.command()(grouping.expand(command))
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, received, result.output


def test_a_command_receives_its_group() -> None:
    assert run("here", "--limit", "2", "--day", "2024-06-30")[1] == [Place("here", 2), "2024-06-30"]


def test_fields_keep_their_defaults() -> None:
    assert run("here")[1] == [Place("here", 5), None]


def test_the_argument_of_a_group_is_required() -> None:
    code, received, _ = run("--limit", "2")
    assert (code, received) == (2, [])


def test_help_lists_the_fields_in_the_place_of_their_group() -> None:
    _, _, text = run("--help")
    assert text.index("--limit") < text.index("--day")
    assert "How many." in text
    assert "--place" not in text


def test_the_commands_hide_no_option_behind_a_group() -> None:
    from typer.main import get_command

    from tiercast import cli

    commands: Any = get_command(cli.app)
    names = {option for parameter in commands.commands["score"].params for option in parameter.opts}
    assert {"--customers", "--bundle", "--model", "--engine", "--memory", "--since"} <= names
