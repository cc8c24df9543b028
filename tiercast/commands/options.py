"""Options that several commands share, each defined once, and the groups in which they come."""

from __future__ import annotations

import datetime as dt
import pathlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from tiercast.contract.errors import BadInput
from tiercast.terminal import console
from tiercast.workflows import bundles, engine_choice
from tiercast.workflows.engine_choice import EngineChoice

if TYPE_CHECKING:
    from tiercast.features.reading import Sources
    from tiercast.features.reading.presets import Preset
    from tiercast.models.bundle import Bundle
    from tiercast.tiers.languages import Language
    from tiercast.training.settings import Settings

AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="The day of knowledge, YYYY-MM-DD: only rows strictly before it are looked at."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout instead of text.")]
Config = Annotated[pathlib.Path | None, typer.Option("--config", help="Settings as TOML; docs/data.md lists them.")]
Model = Annotated[
    str | None,
    typer.Option("--model", help="A registered model instead of a folder: champion, challenger or a version."),
]
Store = Annotated[
    str | None,
    typer.Option("--store", envvar="TIERCAST_STORE", help="The score store: scores.db or postgresql://user@host/db."),
]
Tracked = Annotated[
    bool, typer.Option("--mlflow/--no-mlflow", help="Log the run to MLflow (./mlruns or MLFLOW_TRACKING_URI).")
]
Memory = Annotated[
    str | None, typer.Option("--memory", help="Limit for the data engine, such as 1GB; beyond it, it uses disk.")
]


@dataclass(frozen=True)
class SourceOptions:
    """The input tables and the names of their columns."""

    data: Annotated[
        str, typer.Argument(help="Transactions: a Parquet or CSV file, a quoted glob, or a folder of Parquet.")
    ]
    customers: Annotated[
        str | None, typer.Option("--customers", help="Optional table of customers and attributes.")
    ] = None
    interactions: Annotated[
        str | None, typer.Option("--interactions", help="Optional table of visits, complaints, ...")
    ] = None
    column: Annotated[
        list[str] | None,
        typer.Option("--column", help="Rename, as often as needed: --column ordered_at=timestamp (ours=yours)."),
    ] = None
    duplicates: Annotated[
        str,
        typer.Option("--duplicates", help="Transactions equal in every column to another one: keep (default) or drop."),
    ] = ""
    amount: Annotated[
        str, typer.Option("--amount", help="none: no amounts are read, orders are counted, and value is in orders.")
    ] = ""
    encoding: Annotated[
        str, typer.Option("--encoding", help="Encoding of text files: gb18030, cp1252, latin-1; left out, UTF-8.")
    ] = ""
    delimiter: Annotated[
        str, typer.Option("--delimiter", help="The sign between cells; left out, the header decides.")
    ] = ""
    header: Annotated[
        str, typer.Option("--header", help="none: the first line is data, columns are column_1, column_2, ...")
    ] = ""
    date_format: Annotated[
        str, typer.Option("--date-format", help="How dates are written: %d/%m/%Y, '%d.%m.%Y %H:%M', epoch or excel.")
    ] = ""
    decimal: Annotated[str, typer.Option("--decimal", help="The sign before decimals: a dot or a comma.")] = ""
    thousands: Annotated[
        str, typer.Option("--thousands", help="The sign between groups of three digits: a comma or a dot.")
    ] = ""
    timezone: Annotated[
        str, typer.Option("--timezone", help="The zone whose days count, such as Asia/Shanghai; left out, UTC.")
    ] = ""
    preset: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="The shop system that wrote the file: shopify, stripe, ..., auto, or FILE.toml of your own.",
        ),
    ] = None
    currency: Annotated[
        str | None, typer.Option("--currency", help="With --from: keep the orders in this currency, such as EUR.")
    ] = None

    def sources(self, settings: Settings | None = None, *, kept: str = "", overrides: str | None = None) -> Sources:
        """The tables. The command line wins over the settings, and these over what a bundle has kept. Raises BadInput.

        What is taken from the bundle is noted on stderr.
        """
        from tiercast.features.reading import Dialect, reading_options

        given = {name: getattr(self, name) for name in Dialect._fields} | {"duplicates": self.duplicates}
        own = reading_options.parse(_renames(self.column or []), given)
        self._check_amount(own.columns)
        own = own._replace(presets=self._presets(), currency=self.currency, counts_orders=self.amount == "none")
        configured = reading_options.parse(settings.columns, settings.reading) if settings else own
        given_now = reading_options.merge(own, configured)
        places = {"customers": self.customers, "interactions": self.interactions, "overrides": overrides}
        tables = ["transactions", *(name for name, place in places.items() if place)]
        of_bundle = reading_options.for_tables(reading_options.from_text(kept), tables)
        merged = reading_options.merge(given_now, of_bundle)
        taken = [text for text in merged.describe() if text not in given_now.describe()]
        if taken:
            console.print_note(f"read as in the bundle's training: {' '.join(taken)}")
        return merged.read_from(self.data, self.customers, self.interactions, overrides)

    def _check_amount(self, renames: Mapping[str, str]) -> None:
        """Raises BadInput for another word than none, and for options that speak of amounts beside it."""
        if self.amount not in ("", "none"):
            hint = "pass --amount none, or name the column: --column amount=NAME"
            raise BadInput("--amount is not known", first=self.amount, hint=hint)
        of_money = [f"--column {name}={given}" for name, given in renames.items() if name in ("amount", "margin")]
        of_money += [f"--from {self.preset}"] if self.preset else []
        if self.amount and of_money:
            hint = "leave out one of the two"
            raise BadInput(
                "--amount none reads no amounts, and another option is about them", first=of_money[0], hint=hint
            )

    def _presets(self) -> tuple[Preset, ...]:
        from tiercast.features.reading import presets

        if self.preset is None and self.currency is not None:
            hint = 'add --from NAME, or --from FILE.toml with: currency = "NAME OF THE COLUMN"'
            raise BadInput("--currency needs to know the column of the currency", first=self.currency, hint=hint)
        return presets.load(self.preset) if self.preset else ()


def load_settings(config: pathlib.Path | None) -> Settings | None:
    """The settings of --config, or None where it was not given. Raises BadInput."""
    if config is None:
        return None  # an image that only scores has no tiercast.training
    from tiercast.training import settings

    return settings.load(config, {})


@dataclass(frozen=True)
class BundleOptions:
    """A bundle: a folder or a registered model, exactly one of them."""

    bundle: Annotated[pathlib.Path | None, typer.Option("--bundle", help="The bundle folder that `train` wrote.")] = (
        None
    )
    model: Model = None

    def load(self) -> Bundle:
        """The bundle in memory. Raises BadInput when both or neither are given."""
        return bundles.load(self.bundle, self.model)

    def folder(self) -> AbstractContextManager[pathlib.Path]:
        """The bundle's folder for the length of a `with` block. Raises BadInput like `load`."""
        return bundles.folder(self.bundle, self.model)


@dataclass(frozen=True)
class SettingsOptions:
    """Settings of a training; horizons of the command line win over the configured ones."""

    churn_days: Annotated[
        int | None, typer.Option("--churn-days", help="No order for this many days is churn (default 90).")
    ] = None
    value_days: Annotated[
        int | None, typer.Option("--value-days", help="Money is expected over this many days (default 365).")
    ] = None
    config: Config = None

    def load(self) -> Settings:
        """The settings. Raises BadInput."""
        from tiercast.training import settings

        horizons = {"churn_days": self.churn_days, "value_days": self.value_days}
        return settings.load(self.config, {name: days for name, days in horizons.items() if days is not None})


@dataclass(frozen=True)
class EngineOptions:
    """The data engine and its limits."""

    engine: Annotated[
        str, typer.Option("--engine", help="duckdb on this machine, or spark on this and others: see docs/scale.md.")
    ] = engine_choice.DUCKDB
    master: Annotated[
        str | None,
        typer.Option(
            "--master", help="Where Spark runs, such as spark://host:7077; else TIERCAST_SPARK_MASTER, else here."
        ),
    ] = None
    memory: Memory = None

    def choose(self) -> EngineChoice:
        """The engine to start. Raises BadInput."""
        return engine_choice.choose(self.engine, self.master, self.memory)


def parse_day(text: str | None) -> dt.date | None:
    """The date of --as-of, or None when it was not given. Raises BadInput.

    >>> parse_day("2024-06-30")
    datetime.date(2024, 6, 30)
    """
    return None if text is None else parse_date(text, "--as-of")


def parse_date(text: str, option: str) -> dt.date:
    """The ISO date that an option was given. Raises BadInput."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        hint = f"write it as YYYY-MM-DD: {option} 2024-06-30"
        raise BadInput(f"{option} is not a date", first=text, hint=hint) from error


def require_day(as_of: str | None, bundle: Bundle) -> dt.date:
    """The date of --as-of. Raises BadInput where it is missing, with the bundle's own day as a hint."""
    day = parse_day(as_of)
    if day is None:
        hint = f"pass --as-of YYYY-MM-DD; this bundle was trained as of {bundle.about.as_of}"
        raise BadInput("which day is not clear", first="no --as-of", hint=hint)
    return day


def parse_language(lang: str) -> Language:
    """A language that texts exist in. Raises BadInput.

    >>> parse_language("zh")
    'zh'
    """
    from tiercast.tiers import languages

    if lang not in languages.LANGUAGES:
        allowed = ", ".join(languages.LANGUAGES)
        raise BadInput("there is no such language", first=lang, hint=f"pass --lang with one of: {allowed}")
    return lang


def _renames(pairs: list[str]) -> dict[str, str]:
    """`ours=yours` pairs as a mapping. Raises BadInput.

    >>> _renames(["ordered_at=timestamp"])
    {'ordered_at': 'timestamp'}
    """
    parts = [pair.partition("=") for pair in pairs]
    wrong = [ours for ours, sign, theirs in parts if not (ours and sign and theirs)]
    if wrong:
        hint = "write --column ordered_at=timestamp: our name, =, the name in your file"
        raise BadInput(
            "--column has no name on one side",
            count=len(wrong),
            total=len(pairs),
            unit="renames",
            first=wrong[0],
            hint=hint,
        )
    return {ours: theirs for ours, _, theirs in parts}
