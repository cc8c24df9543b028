"""Match the columns of a source to ours: by the user's renames, and by a preset that knows the header."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from typing import NamedTuple

from tiercast.contract import addresses, errors
from tiercast.features.reading import columns, copies, order_counts, presets
from tiercast.features.reading.presets import Preset
from tiercast.features.reading.sources import Sources


class Match(NamedTuple):
    """Ours -> the name in the file, and the preset that read it so; its other columns are looked at, too."""

    named: dict[str, str]
    preset: Preset | None = None

    def needed(self, names: Collection[str]) -> list[str]:
        """The columns to copy from a place where copying costs."""
        others = [name for name in self.preset.used if name in names] if self.preset else []
        return list(dict.fromkeys([*self.named.values(), *others]))


def match(table: str, names: Sequence[str], sources: Sources) -> Match:
    """The columns of `table` among `names`; renames of the user win over those of a preset.

    Raises `MissingColumn`; where a preset knows the header of transactions, it is proposed.
    """
    if table != "transactions":
        return Match(columns.match(table, names, sources.columns))
    ignored = order_counts.IGNORED if sources.counts_orders else ()
    if sources.presets:
        preset = presets.recognise(sources.presets, names, sources.transactions)
        return Match(columns.match(table, names, {**preset.renames, **sources.columns}), preset)
    try:
        return Match(columns.match(table, names, sources.columns, ignored))
    except errors.MissingColumn as error:
        proposed = presets.propose(names)
        command = error.hint if sources.columns else f"tiercast check {_place(sources)} {error.hint}"
        hint = f"the header is one that a preset knows: {proposed}; or {error.hint}" if proposed else command
        raise errors.MissingColumn(
            error.what, count=error.count, total=error.total, unit=error.unit, first=error.first, hint=hint
        ) from error


def _place(sources: Sources) -> str:
    """The source for a command line: without its password, and quoted where a shell would split it."""
    return shlex.quote(addresses.redact(sources.transactions))


def chooser(table: str, sources: Sources) -> copies.Choose:
    """Picks the columns that `table` needs; of customers all, for any may be an attribute. Raises `MissingColumn`."""

    def choose(names: Sequence[str]) -> list[str]:
        found = match(table, names, sources)
        return list(names) if table == "customers" else found.needed(names)

    return choose
