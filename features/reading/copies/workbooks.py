"""One sheet of an Excel workbook (.xlsx, .xls, .xlsb, .ods) as Parquet: dates stay dates, numbers stay numbers.

orders.xlsx               the only sheet that has cells
orders.xlsx#March         the sheet of that name
orders.xlsx#March!A4      the table whose header begins in that cell
"""

from __future__ import annotations

import functools
import pathlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tiercast.contract import errors
from tiercast.features.reading.copies import typed_rows
from tiercast.features.reading.copies.named_tables import NamedTable
from tiercast.features.reading.copies.table_choice import Choose

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

Rows = Callable[[], Iterator[list[Any]]]
CELL = re.compile(r"(?P<sheet>.*)!\$?(?P<column>[A-Za-z]{1,3})\$?(?P<row>[1-9][0-9]*)")
SEARCHED_ROWS = 20
QUOTED = 80


class Corner(NamedTuple):
    """Where the header begins, counted from 0; `is_given` where the source says so."""

    row: int
    column: int
    is_given: bool = False


def copy(named: NamedTable, choose: Choose, target: pathlib.Path) -> str:
    """Write all columns that have a name to `target`, after `choose` has seen those; its path.

    Raises `SourceUnreadable`, and what `choose` raises where a required column is missing.
    """
    book = _open(named.place)
    name, corner = _sheet_and_corner(named, book)
    sheet = book.get_sheet_by_name(name)
    shown = f"{named.place}#{name}"
    corner = corner or Corner(*(sheet.start or (0, 0)))
    rows = functools.partial(_rows, sheet, corner)
    header = [_name(cell) for cell in next(iter(rows()), [])]
    try:
        _refuse_header(header, shown, corner)
        choose([text for text in header if text])
    except errors.BadInput:
        _refuse_title_rows(rows, header, shown, corner)
        raise
    positions = [position for position, text in enumerate(header) if text]
    below = functools.partial(_below_header, rows, positions)
    return typed_rows.write([header[position] for position in positions], below, target)


def _open(place: str) -> CalamineWorkbook:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        return CalamineWorkbook.from_path(place)
    except (CalamineError, OSError) as error:
        is_locked = "password" in type(error).__name__.lower()
        hint = "save it without a password" if is_locked else "save it again as .xlsx, or the sheet as CSV UTF-8"
        raise errors.SourceUnreadable(f"the Excel workbook cannot be read: {error}", first=place, hint=hint) from error


def _sheet_and_corner(named: NamedTable, book: CalamineWorkbook) -> tuple[str, Corner | None]:
    wanted, names = named.table, book.sheet_names
    given = CELL.fullmatch(wanted or "")
    if wanted in names or wanted is None:
        return wanted or _only_sheet(named, book), None
    if given and given["sheet"] in names:
        return given["sheet"], Corner(int(given["row"]) - 1, _column_number(given["column"]), is_given=True)
    raise _choice(f"the workbook has no sheet {wanted!r}", named, names)


def _only_sheet(named: NamedTable, book: CalamineWorkbook) -> str:
    filled = [name for name in book.sheet_names if book.get_sheet_by_name(name).height]
    if not filled:
        raise errors.SourceUnreadable("the workbook has no filled cell", first=named.place, hint="pass another file")
    if len(filled) > 1:
        raise _choice("more than one sheet has cells, and none is named", named, filled)
    return filled[0]


def _choice(what: str, named: NamedTable, names: Sequence[str]) -> errors.SourceUnreadable:
    listed = ", ".join(repr(name) for name in names[:SEARCHED_ROWS])
    return errors.SourceUnreadable(
        what, first=f"{named.place}; its sheets: {listed}", hint=f"name the sheet: '{named.place}#{names[0]}'"
    )


def _column_number(letters: str) -> int:
    """The column from 0: A is 0, AA is 26."""
    return functools.reduce(lambda number, letter: number * 26 + ord(letter) - 64, letters.upper(), 0) - 1


def _rows(sheet: CalamineSheet, corner: Corner) -> Iterator[list[Any]]:
    """The cells from the corner on; blank ones are None. A sheet begins at the first row that has cells."""
    first_column = (sheet.start or (0, 0))[1]
    skipped = max(corner.column - first_column, 0)
    # iter_rows counts from the first row of the sheet, also where that row is empty.
    for number, row in enumerate(sheet.iter_rows()):
        if number >= corner.row:
            yield [None if cell == "" else cell for cell in row[skipped:]]


def _name(cell: Any) -> str:
    return (typed_rows.text(cell) or "").strip()


def _below_header(rows: Rows, positions: Sequence[int]) -> Iterator[list[Any]]:
    """Rows without any cell are no rows, as below a table in a sheet."""
    for number, row in enumerate(rows()):
        if number and any(cell is not None for cell in row):
            yield [row[position] for position in positions]


def _refuse_header(header: Sequence[str], shown: str, corner: Corner) -> None:
    twice = next((name for name in header if name and header.count(name) > 1), None)
    if twice is not None:
        raise errors.SourceUnreadable(
            f"the header has the column {twice!r} {header.count(twice)} times",
            first=f"{shown}, row {corner.row + 1}",
            hint="give every column a name of its own",
        )


def _refuse_title_rows(rows: Rows, header: Sequence[str], shown: str, corner: Corner) -> None:
    """Raise `SourceUnreadable` where the first row is a title: it has one filled cell, and one below has more."""
    if corner.is_given or sum(map(bool, header)) > 1:
        return
    for number, row in enumerate(rows()):
        filled = [position for position, cell in enumerate(row) if cell is not None]
        if len(filled) > 1:
            place = f"{_letters(corner.column + filled[0])}{corner.row + number + 1}"
            title = next((name for name in header if name), "(blank)")
            raise errors.SourceUnreadable(
                f"the header is on row {corner.row + number + 1}, below other rows",
                first=f"{shown}, row {corner.row + 1}: {title[:QUOTED]}",
                hint=f"name the cell where it begins: '{shown}!{place}'",
            )
        if number >= SEARCHED_ROWS:
            return


def _letters(column: int) -> str:
    """The letters of a column from 0: 0 is A, 26 is AA."""
    above, last = divmod(column, 26)
    return (_letters(above - 1) if above else "") + chr(65 + last)
