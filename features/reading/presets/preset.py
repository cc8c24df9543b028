"""A preset: how the export of one shop system becomes transactions. Shipped ones and a user's own are TOML files."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any, Literal

import pydantic

from tiercast.contract import errors, inputs

TRANSACTIONS = tuple(column.name for column in inputs.TRANSACTIONS)
DOCS = "docs/data.md#presets lists the keys"
CURRENCY_DIGITS = 6


class Part(pydantic.BaseModel):
    """A table of the file; an unknown key in it is an error."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Drop(Part):
    """Rows that are no orders: `column` has one of `values` (whatever their case), or has any value (`filled`)."""

    reason: str
    column: str
    values: tuple[str, ...] = ()
    filled: bool = False

    @pydantic.model_validator(mode="after")
    def _one_condition(self) -> Drop:
        if bool(self.values) == self.filled:
            raise ValueError("give either values = [...] or filled = true")
        return self


class Refunds(Part):
    """A column of refunded money. `net` takes it off its order; `rows` makes a row of its own of it, below zero.

    Such a row has the day of `dated_by` where there is one, else that of its order.
    """

    column: str
    how: Literal["net", "rows"] = "net"
    dated_by: str | None = None


class Lines(Part):
    """Several rows per order. Further ones have blanks in all columns `blank`, or repeat what the first has.

    `one_row_per` are columns in which such repeats are equal: the order's number, where its total is on each line.
    """

    blank: tuple[str, ...] = ()
    one_row_per: tuple[str, ...] = ()


class Amounts(Part):
    """How money is written: signs in front of it, a comma between thousands, and whole numbers of a small unit."""

    signs: tuple[str, ...] = ()
    thousands_comma: bool = False
    minor_units: int = pydantic.Field(default=0, ge=0, le=CURRENCY_DIGITS)


class Join(Part):
    """Another file in the same folder, joined by a column that both have."""

    file: str
    on: str


class Folder(Part):
    """A data set of several files: the name of the one with the orders, and those that are joined to it."""

    orders: str
    joins: tuple[Join, ...] = ()


class Preset(Part):
    """One way of reading. `columns` gives theirs for ours: one name, or several.

    Of several, times are put together (date and clock), ids take the first that is not blank, and money is added.
    `also_called` gives other names under which a column is found in other versions of the export.
    """

    name: str
    about: str
    recognised_by: tuple[str, ...] = pydantic.Field(min_length=1)
    columns: dict[str, tuple[str, ...]]
    also_called: dict[str, tuple[str, ...]] = {}
    customers_in_lower_case: bool = False
    date_format: str | None = None
    drop: tuple[Drop, ...] = ()
    refunds: Refunds | None = None
    currency: str | None = None
    lines: Lines = Lines()
    amounts: Amounts = Amounts()
    folder: Folder | None = None

    @pydantic.field_validator("columns", mode="before")
    @classmethod
    def _several(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {ours: [theirs] if isinstance(theirs, str) else theirs for ours, theirs in given.items()}

    @pydantic.field_validator("columns")
    @classmethod
    def _known(cls, columns: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for ours in columns:
            if ours not in TRANSACTIONS:
                raise ValueError(f"{ours!r} is no column of the transactions{nearest(ours, TRANSACTIONS)}")
        missing = [name for name in ("customer_id", "ordered_at", "amount") if not columns.get(name)]
        if missing:
            raise ValueError(f"{missing[0]!r} is not given")
        return columns

    @property
    def renames(self) -> dict[str, str]:
        """Ours -> theirs, the first of several."""
        return {ours: theirs[0] for ours, theirs in self.columns.items()}

    @property
    def used(self) -> tuple[str, ...]:
        """Every column of the file that the preset looks at."""
        names = [name for theirs in self.columns.values() for name in theirs]
        names += [drop.column for drop in self.drop] + [*self.lines.blank, *self.lines.one_row_per]
        names += [self.refunds.column, self.refunds.dated_by or ""] if self.refunds else []
        names += [self.currency] if self.currency else []
        return tuple(dict.fromkeys(name for name in names if name))

    def fits(self, names: Collection[str]) -> bool:
        """Whether a file with these columns is such an export."""
        return set(self.called_as(names).recognised_by) <= set(names)

    def called_as(self, names: Collection[str]) -> Preset:
        """The same with the names that this file has for the columns; optional columns that it lacks are left out."""
        given = {
            name: next((other for other in others if other in names), name)
            for name, others in self.also_called.items()
            if name not in names
        }
        renamed = _rename(self.model_dump(exclude={"also_called", "name", "about", "folder"}), given)
        columns = {
            ours: theirs
            for ours, theirs in renamed["columns"].items()
            if theirs[0] in names or ours in ("customer_id", "ordered_at", "amount")
        }
        kept = {"name": self.name, "about": self.about, "folder": self.folder}
        return Preset.model_validate(renamed | kept | {"columns": columns})


def _rename(value: Any, given: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return given.get(value, value)
    if isinstance(value, Mapping):
        return {key: _rename(each, given) for key, each in value.items()}
    return [_rename(each, given) for each in value] if isinstance(value, list | tuple) else value


def parse(content: Mapping[str, Any], place: str) -> Preset:
    """The preset in a parsed TOML file. Raises `BadInput` that names the key, and the nearest to an unknown one."""
    try:
        return Preset.model_validate(content)
    except pydantic.ValidationError as error:
        faults = sorted(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
        first = faults[0]
        where = ".".join(str(part) for part in first["loc"])
        what = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            what = f"there is no key {first['loc'][-1]!r}{nearest(str(first['loc'][-1]), _keys(first['loc']))}"
        raise errors.BadInput(
            f"the preset cannot be used: {what}",
            count=len(faults),
            total=len(faults),
            unit="faults",
            first=f"{place}: {where}",
            hint=DOCS,
        ) from None


def _keys(place: tuple[int | str, ...]) -> list[str]:
    """The keys that the table at `place` may have."""
    tables: dict[str, type[Part]] = {
        "drop": Drop, "refunds": Refunds, "lines": Lines, "amounts": Amounts, "joins": Join, "folder": Folder
    }  # fmt: skip
    above = [part for part in place[:-1] if isinstance(part, str)]
    return list(tables.get(above[-1], Preset).model_fields) if above else list(Preset.model_fields)


def nearest(name: str, names: Collection[str]) -> str:
    """The words that propose a similar name; empty where there is none."""
    found = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f"; nearest: {found[0]!r}" if found else ""
