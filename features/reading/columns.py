"""Match the columns of a file to ours: by the configured name or the canonical one, never by a guess."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence

from tiercast.contract import errors, inputs
from tiercast.features.reading import usual_names

TABLES = {
    "transactions": inputs.TRANSACTIONS,
    "customers": inputs.CUSTOMERS,
    "interactions": inputs.INTERACTIONS,
    "overrides": inputs.OVERRIDES,
}
SHOWN = 8


def check(renames: Mapping[str, str], tables: Collection[str]) -> None:
    """Refuse a rename of a column that none of the given tables has. Raises `MissingColumn`."""
    ours = {table: {column.name for column in TABLES[table]} for table in tables}
    known = set().union(*ours.values())
    qualified = {f"{table}.{name}" for table, names in ours.items() for name in names}
    for name, given in renames.items():
        if name not in known | qualified:
            raise errors.MissingColumn(
                f"the {' and '.join(tables)} need no column {name!r}, so {given!r} cannot stand for it",
                first=f"{name}={given}",
                hint=f"--column takes OURS=YOURS; ours are {', '.join(sorted(known))}",
            )


def match(
    table: str, names: Sequence[str], renames: Mapping[str, str], ignored: Collection[str] = ()
) -> dict[str, str]:
    """Canonical name -> name in the file, for the columns of `table` that the file has.

    A rename for this table alone ("customers.customer_id") takes precedence over a rename for all tables, and that over
    the canonical name. Raises `MissingColumn` with the nearest names where a required or renamed column is missing. The
    `ignored` columns of ours are not looked for.
    """
    looked_for = [column for column in TABLES[table] if column.name not in ignored]
    wanted = {column.name: _name(table, column, names, renames) for column in looked_for}
    missing = {name: given for name, given in wanted.items() if given is not None and given not in names}
    if missing:
        taken = {given for given in wanted.values() if given is not None and given in names}
        raise _missing(table, missing, names, taken, sum(given is not None for given in wanted.values()))
    return {name: given for name, given in wanted.items() if given is not None}


def _name(table: str, column: inputs.InputColumn, names: Sequence[str], renames: Mapping[str, str]) -> str | None:
    """The name that the file should have, or None where an optional column is not there."""
    renamed = renames.get(f"{table}.{column.name}")
    if renamed is None and (table == "transactions" or _is_only_in(table, column.name)):
        renamed = renames.get(column.name)
    if renamed is None and renames.get(column.name) in names:
        renamed = renames[column.name]
    if renamed is None and not column.is_required and column.name not in names:
        return None
    return renamed or column.name


def _is_only_in(table: str, name: str) -> bool:
    return [other for other, columns in TABLES.items() if name in {column.name for column in columns}] == [table]


def _missing(
    table: str, missing: Mapping[str, str], names: Sequence[str], taken: Collection[str], n_wanted: int
) -> errors.MissingColumn:
    """One error for all of them; each gets the nearest names."""
    nearest = _candidates(missing, names, taken)
    absent = ", ".join(repr(given) for given in missing.values())
    some = ", ".join(repr(name) for name in names[:SHOWN])
    near = [f"nearest to {missing[ours]!r}: {', '.join(map(repr, found))}" for ours, found in nearest.items() if found]
    first, given = next(iter(missing.items()))
    return errors.MissingColumn(
        f"the {table} have no column {absent}; " + ("; ".join(near) or f"some of their {len(names)} columns: {some}"),
        count=len(missing),
        total=n_wanted,
        unit="columns",
        first=f"{first}={given}",
        hint=" ".join(
            "--column " + shlex.quote(f"{_prefix(table, ours)}{ours}={found[0] if found else 'NAME'}")
            for ours, found in nearest.items()
        ),
    )


def _prefix(table: str, name: str) -> str:
    return "" if table == "transactions" or _is_only_in(table, name) else f"{table}."


def _candidates(missing: Mapping[str, str], names: Sequence[str], taken: Collection[str]) -> dict[str, list[str]]:
    """Likely names per missing column; the first one of a column is not the first one of another."""
    left, found = [name for name in names if name not in taken], dict[str, list[str]]()
    for ours, given in missing.items():
        found[ours] = usual_names.nearest(ours, given, left)
        left = [name for name in left if name not in found[ours][:1]]
    return found
