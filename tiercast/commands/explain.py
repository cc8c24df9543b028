"""`tiercast explain`: why a customer stands where they stand, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tiercast import options, say
from tiercast.commands import score
from tiercast.contract.errors import BadInput

if TYPE_CHECKING:
    import datetime as dt

    from tiercast.models.bundle import Bundle
    from tiercast.tiers.languages import Language


def add_to(app: typer.Typer) -> None:
    example = "tiercast explain orders.parquet --as-of 2024-07-31 --bundle out/bundle --customer c-00917 --lang zh"
    app.command(epilog=f"Example: {example}")(explain)


def explain(
    data: options.Data,
    customer: Annotated[list[str], typer.Option("--customer", help="A customer's id, as often as needed.")],
    as_of: options.AsOf = None,
    bundle: options.Bundle = None,
    model: options.Model = None,
    customers: options.Customers = None,
    interactions: options.Interactions = None,
    column: options.ColumnNames = None,
    lang: Annotated[str, typer.Option("--lang", help="Language of the texts: en or zh.")] = "en",
    json: options.Json = False,
) -> None:
    """Score the given customers now and say why, how sure it is and what to do."""
    spoken = options.language(lang)
    where = options.sources(data, customers, interactions, column, {})
    loaded = score.load(bundle, model)
    found = of(loaded, where, score.day_of(as_of, loaded), customer, spoken)
    missing = [one for one in customer if one not in {row["customer_id"] for row in found}]
    if missing:
        hint = "ids are text, spelled as in the transactions; they must be known before --as-of"
        raise BadInput(
            "the customer is not known",
            count=len(missing),
            total=len(customer),
            unit="customers",
            first=missing[0],
            hint=hint,
        )
    if json:
        say.as_json({"customers": found})
        return
    from tiercast import show

    for row in found:
        show.customer(row, spoken)


def of(bundle: Bundle, where: Any, day: dt.date, ids: list[str], lang: Language) -> list[dict[str, Any]]:
    """The scores of some customers with their texts, in the order of `ids`; unknown ones are left out."""
    from tiercast.features import reading
    from tiercast.features.engines.duckdb import Engine
    from tiercast.serving import explanations

    with Engine() as engine:
        read = reading.read(engine, where, day, is_counted=False)
        return explanations.explain(engine, bundle, read.tables, day, ids, lang)
