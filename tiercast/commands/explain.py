"""`tiercast explain`: why a customer stands where they stand, in words."""

from __future__ import annotations

from typing import Annotated

import typer

from tiercast.commands import grouping, options
from tiercast.terminal import console
from tiercast.terminal import customer as customer_text
from tiercast.workflows import explain as explain_workflow


def add_to(app: typer.Typer) -> None:
    example = "tiercast explain orders.parquet --as-of 2024-07-31 --bundle out/bundle --customer c-00917 --lang zh"
    app.command(epilog=f"Example: {example}")(grouping.expand(explain))


def explain(
    source: options.SourceOptions,
    *,
    customer: Annotated[list[str], typer.Option("--customer", help="A customer's id, as often as needed.")],
    as_of: options.AsOf = None,
    bundle: options.BundleOptions,
    config: options.Config = None,
    lang: Annotated[str, typer.Option("--lang", help="Language of the texts: en or zh.")] = "en",
    json: options.Json = False,
) -> None:
    """Score the given customers now and say why, how sure it is, what would change the letter and what to do."""
    language = options.parse_language(lang)
    settings = options.load_settings(config)
    loaded = bundle.load()
    sources = source.sources(settings, kept=loaded.about.reading)
    rows = explain_workflow.explain(loaded, sources, options.require_day(as_of, loaded), customer, language)
    if json:
        console.print_json({"customers": rows})
        return
    for text in loaded.about.limits:
        console.print_note(text)
    for row in rows:
        customer_text.print_customer(row, language)
