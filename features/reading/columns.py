"""Match the columns of a file to ours: by the configured name or the canonical one, never by a guess."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence

from tiercast.contract import errors, inputs

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


def match(table: str, names: Sequence[str], renames: Mapping[str, str]) -> dict[str, str]:
    """Canonical name -> name in the file, for the columns of `table` that the file has.

    A rename for this table alone ("customers.customer_id") takes precedence over a rename for all tables, and that over
    the canonical name. Raises `MissingColumn` with the nearest names where a required or renamed column is missing.
    """
    found = {column.name: _name(table, column, names, renames) for column in TABLES[table]}
    return {name: given for name, given in found.items() if given is not None}


def _name(table: str, column: inputs.InputColumn, names: Sequence[str], renames: Mapping[str, str]) -> str | None:
    renamed = renames.get(f"{table}.{column.name}")
    if renamed is None and (table == "transactions" or _is_only_in(table, column.name)):
        renamed = renames.get(column.name)
    if renamed is None and renames.get(column.name) in names:
        renamed = renames[column.name]
    name = renamed or column.name
    if name in names:
        return name
    if renamed is None and not column.is_required:
        return None
    raise _missing(table, column.name, name, names)


def _is_only_in(table: str, name: str) -> bool:
    return [other for other, columns in TABLES.items() if name in {column.name for column in columns}] == [table]


def _missing(table: str, canonical: str, name: str, names: Sequence[str]) -> errors.MissingColumn:
    nearest = _nearest(name, names)
    listed = ", ".join(repr(other) for other in nearest or names[:SHOWN])
    which = "the nearest" if nearest else "some"
    return errors.MissingColumn(
        f"the {table} have no column {name!r}; {which} of their {len(names)} columns: {listed}",
        first=f"{canonical}={name}",
        hint=f"--column {_prefix(table, canonical)}{canonical}={nearest[0] if nearest else 'NAME'}",
    )


def _prefix(table: str, name: str) -> str:
    return "" if table == "transactions" or _is_only_in(table, name) else f"{table}."


def _nearest(name: str, names: Sequence[str]) -> list[str]:
    """Similar names, ignoring case, spaces and underscores; the most similar first."""
    plain = {_plain(other): other for other in reversed(names)}
    return [plain[other] for other in difflib.get_close_matches(_plain(name), list(plain), n=3, cutoff=0.5)]


def _plain(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalnum())
