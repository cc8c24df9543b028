"""Every command and every option of the command line is explained and documented."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from typer.main import get_command

from tests.repo import tree
from tiercast import cli

OF_TYPER_ITSELF = {"--help", "--install-completion", "--show-completion"}


def commands() -> dict[str, Any]:
    """Every visible command by the words a person types: "train", "bundle show"."""
    return dict(below(get_command(cli.app), ""))


def below(group: Any, words: str) -> Iterator[tuple[str, Any]]:  # Typer carries its own copy of Click, without types
    for name, command in getattr(group, "commands", {}).items():
        if not command.hidden:
            full = f"{words} {name}".strip()
            yield from below(command, full) if hasattr(command, "commands") else [(full, command)]


def parameters() -> list[tuple[str, Any]]:
    """(command, parameter) for every visible option and argument."""
    pairs = [(name, parameter) for name, command in commands().items() for parameter in command.params]
    return [(name, each) for name, each in pairs if not getattr(each, "hidden", False) and not own_of_typer(each)]


def own_of_typer(parameter: Any) -> bool:
    return bool(OF_TYPER_ITSELF & set(parameter.opts))


def long_names() -> dict[str, str]:
    """Every long option, with the command that has it."""
    return {option: name for name, each in parameters() for option in each.opts if option.startswith("--")}


@cache
def documentation() -> str:
    read = [path for path in tree.pages() if path.parent == tree.ROOT or tree.name(path).startswith("docs/")]
    return "\n".join(path.read_text(encoding="utf-8") for path in read)


def test_the_designed_commands_are_there() -> None:
    designed = {"demo", "check", "train", "runs", "compare", "promote", "rollback", "score", "serve"}
    assert designed <= set(commands())


def test_every_command_explains_itself_with_an_example() -> None:
    for name, command in commands().items():
        text = f"{command.help or ''}\n{command.epilog or ''}"
        assert f"tiercast {name}" in text, f"`tiercast {name} --help` shows no example"
        assert len((command.help or "").split()) >= 4, f"`tiercast {name} --help` does not say what it does"


def test_every_option_and_argument_explains_itself() -> None:
    silent = [(name, each.name) for name, each in parameters() if not (getattr(each, "help", None) or "").strip()]
    assert not silent


def test_every_command_is_documented() -> None:
    missing = [name for name in commands() if not re.search(rf"tiercast {re.escape(name)}\b", documentation())]
    assert not missing


def test_every_option_is_documented() -> None:
    missing = {o: n for o, n in long_names().items() if not re.search(rf"(?<![\w-]){o}(?![\w-])", documentation())}
    assert not missing


def test_every_command_that_the_pages_show_exists() -> None:
    first_words = {name.split()[0] for name in commands()}
    shown = re.findall(r"^(?:\$ )?tiercast ([a-z]+)", documentation(), flags=re.MULTILINE)
    assert set(shown) <= first_words
