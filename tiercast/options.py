"""Options that several commands share, said once."""

from __future__ import annotations

import datetime as dt
import pathlib
from typing import TYPE_CHECKING, Annotated

import typer

from tiercast.contract.errors import BadInput

if TYPE_CHECKING:
    from tiercast.features.reading import Sources
    from tiercast.tiers.languages import Language
    from tiercast.training.settings import Settings

Data = Annotated[
    str, typer.Argument(help="Transactions: a Parquet or CSV file, a quoted glob, or a folder of Parquet.")
]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="The day of knowledge, YYYY-MM-DD: only rows strictly before it are looked at."),
]
ColumnNames = Annotated[
    list[str] | None,
    typer.Option("--column", help="Rename, as often as needed: --column ordered_at=timestamp (ours=yours)."),
]
Customers = Annotated[str | None, typer.Option("--customers", help="Optional table of customers and attributes.")]
Interactions = Annotated[str | None, typer.Option("--interactions", help="Optional table of visits, complaints, ...")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout instead of text.")]
Bundle = Annotated[pathlib.Path | None, typer.Option("--bundle", help="The bundle folder that `train` wrote.")]
Model = Annotated[
    str | None,
    typer.Option("--model", help="A registered model instead of a folder: champion, challenger or a version."),
]
Store = Annotated[
    str | None,
    typer.Option("--store", envvar="TIERCAST_STORE", help="The score store: scores.db or postgresql://user@host/db."),
]
ChurnDays = Annotated[
    int | None, typer.Option("--churn-days", help="No order for this many days is churn (default 90).")
]
ValueDays = Annotated[
    int | None, typer.Option("--value-days", help="Money is expected over this many days (default 365).")
]
Config = Annotated[pathlib.Path | None, typer.Option("--config", help="Settings as TOML; docs/data.md lists them.")]
Tracked = Annotated[
    bool, typer.Option("--mlflow/--no-mlflow", help="Log the run to MLflow (./mlruns or MLFLOW_TRACKING_URI).")
]
Engine = Annotated[
    str, typer.Option("--engine", help="duckdb on this machine, or spark on this and others: see docs/scale.md.")
]
Master = Annotated[
    str | None,
    typer.Option(
        "--master", help="Where Spark runs, such as spark://host:7077; else TIERCAST_SPARK_MASTER, else here."
    ),
]
Memory = Annotated[
    str | None, typer.Option("--memory", help="Limit for the data engine, such as 1GB; beyond it, it uses disk.")
]


def day(text: str | None) -> dt.date | None:
    """An ISO date. Raises BadInput.

    >>> day("2024-06-30")
    datetime.date(2024, 6, 30)
    """
    return None if text is None else date(text, "--as-of")


def date(text: str, option: str) -> dt.date:
    """The ISO date that an option was given. Raises BadInput."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        hint = f"write it as YYYY-MM-DD: {option} 2024-06-30"
        raise BadInput(f"{option} is not a date", first=text, hint=hint) from error


def language(lang: str) -> Language:
    """A language that texts exist in. Raises BadInput.

    >>> language("zh")
    'zh'
    """
    from tiercast.tiers import languages

    if lang not in languages.LANGUAGES:
        allowed = ", ".join(languages.LANGUAGES)
        raise BadInput("there is no such language", first=lang, hint=f"pass --lang with one of: {allowed}")
    return lang


def settings(config: pathlib.Path | None, churn_days: int | None, value_days: int | None) -> Settings:
    """The configuration's settings; horizons of the command line win. Raises BadInput."""
    from tiercast.training import settings as told

    asked = {"churn_days": churn_days, "value_days": value_days}
    return told.load(config, {name: days for name, days in asked.items() if days is not None})


def sources(
    data: str, customers: str | None, interactions: str | None, names: list[str] | None, configured: dict[str, str]
) -> Sources:
    """Where the tables are; the command line's renames win over the configuration's."""
    from tiercast.features.reading import Sources

    return Sources(data, customers, interactions, columns={**configured, **_renames(names or [])})


def _renames(names: list[str]) -> dict[str, str]:
    pairs = [name.partition("=") for name in names]
    wrong = [ours for ours, sign, theirs in pairs if not (ours and sign and theirs)]
    if wrong:
        hint = "write --column ordered_at=timestamp: our name, =, the name in your file"
        raise BadInput(
            "--column has no name on one side",
            count=len(wrong),
            total=len(names),
            unit="renames",
            first=wrong[0],
            hint=hint,
        )
    return {ours: theirs for ours, _, theirs in pairs}
