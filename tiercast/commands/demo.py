"""`tiercast demo`: every step on real customers."""

from __future__ import annotations

import pathlib
from typing import Annotated

import typer

from tiercast.commands import options


def add_to(app: typer.Typer) -> None:
    app.command(epilog="Example: tiercast demo --lang zh")(demo)


def demo(
    folder: Annotated[pathlib.Path, typer.Option("--folder", help="Where the demo's files go.")] = pathlib.Path("demo"),
    lang: Annotated[str, typer.Option("--lang", help="Language of tiers, reasons and actions: en or zh.")] = "en",
    json: options.Json = False,
) -> None:
    """Check, train, score and explain CDNOW's 23,570 real customers, in under two minutes."""
    from tiercast.demo import walkthrough

    walkthrough.run(folder, options.parse_language(lang), as_json=json)
