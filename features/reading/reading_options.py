"""The options of reading as a whole: given on a command line, in a configuration, or kept in a bundle.

>>> kept = from_text('{"columns": {"amount": "Total"}, "dialect": {"decimal": ","}}')
>>> merge(ReadingOptions(columns={"ordered_at": "When"}), kept).describe()
['--column amount=Total', '--column ordered_at=When', '--decimal ,']
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, cast

from tiercast.contract import errors
from tiercast.features.reading import columns, presets
from tiercast.features.reading import dialect as dialects
from tiercast.features.reading.dialect import Dialect
from tiercast.features.reading.presets import Preset
from tiercast.features.reading.sources import Duplicates, Sources

DUPLICATES = ("keep", "drop")


class ReadingOptions(NamedTuple):
    """What `Sources` has beside places. "", none and None mean that nobody gave it."""

    columns: Mapping[str, str] = {}
    duplicates: str = ""
    dialect: Dialect = dialects.AS_WRITTEN
    presets: tuple[Preset, ...] = ()
    currency: str | None = None
    counts_orders: bool = False

    def describe(self) -> list[str]:
        """The given options, as on a command line."""
        renames = [f"--column {shlex.quote(f'{ours}={given}')}" for ours, given in sorted(self.columns.items())]
        duplicates = [f"--duplicates {self.duplicates}"] if self.duplicates else []
        preset = [f"--from {each.name}" for each in self.presets[:1]]
        currency = [f"--currency {self.currency}"] if self.currency else []
        return [
            *renames,
            *duplicates,
            *self.dialect.lines(),
            *preset,
            *currency,
            *(["--amount none"] if self.counts_orders else []),
        ]

    def read_from(self, data: str, customers: str | None, interactions: str | None, overrides: str | None) -> Sources:
        """The places, read with these options."""
        duplicates = cast("Duplicates", self.duplicates or "keep")
        options = (self.columns, duplicates, self.dialect, self.presets, self.currency, self.counts_orders)
        return Sources(data, customers, interactions, overrides, *options)


def parse(renames: Mapping[str, str], given: Mapping[str, str]) -> ReadingOptions:
    """The options of names and texts: fields of the dialect, duplicates, from and currency. Raises `BadInput`."""
    known = (*Dialect._fields, "duplicates", "from", "currency")
    unknown = [name for name in given if name not in known]
    if unknown:
        hint = f"one of: {', '.join(known)}"
        raise errors.BadInput("there is no such option of reading", first=unknown[0], hint=hint)
    duplicates = given.get("duplicates", "")
    if duplicates not in ("", *DUPLICATES):
        raise errors.BadInput("--duplicates is not known", first=duplicates, hint="one of: keep, drop")
    chosen = presets.load(given["from"]) if given.get("from") else ()
    dialect = dialects.parse({name: value for name, value in given.items() if name in Dialect._fields})
    return ReadingOptions(renames, duplicates, dialect, chosen, given.get("currency") or None)


def merge(first: ReadingOptions, *others: ReadingOptions) -> ReadingOptions:
    """Per option what the first of them gives; renames per column."""
    merged = first
    for other in others:
        merged = ReadingOptions(
            {**other.columns, **merged.columns},
            merged.duplicates or other.duplicates,
            dialects.merge(merged.dialect, other.dialect),
            merged.presets or other.presets,
            merged.currency or (None if merged.presets else other.currency),
            merged.counts_orders or other.counts_orders,
        )
    return merged


def for_tables(options: ReadingOptions, tables: Collection[str]) -> ReadingOptions:
    """The options without renames of columns that none of these tables has."""
    ours = {column.name for table in tables for column in columns.TABLES[table]}
    qualified = {f"{table}.{column.name}" for table in tables for column in columns.TABLES[table]}
    renames = {name: given for name, given in options.columns.items() if name in ours | qualified}
    return options._replace(columns=renames)


def to_text(sources: Sources, preset: Preset | None) -> str:
    """As JSON what a bundle keeps of the options of reading; `preset` is the one that knew the header."""
    given = {
        "columns": dict(sources.columns),
        "duplicates": sources.duplicates if sources.duplicates != "keep" else "",
        "dialect": sources.dialect.given(),
        "presets": [preset.model_dump(mode="json")] if preset else [],
        "currency": sources.currency,
    }
    kept = {name: value for name, value in given.items() if value}
    return json.dumps(kept, sort_keys=True, ensure_ascii=False) if kept else ""


def from_text(written: str) -> ReadingOptions:
    """The options that a bundle keeps; an older one keeps none, which is ""."""
    kept: dict[str, Any] = json.loads(written) if written else {}
    return ReadingOptions(
        kept.get("columns", {}),
        kept.get("duplicates", ""),
        dialects.parse(kept.get("dialect", {})),
        tuple(Preset.model_validate(each) for each in kept.get("presets", [])),
        kept.get("currency"),
    )
