"""The report of a reading: rows read, and rows dropped by reason; as lines of text or as a dictionary."""

from __future__ import annotations

import datetime
from typing import NamedTuple

from tiercast.features.reading.presets.report import PresetReport

LATE, DUPLICATE = "on_or_after_as_of", "exact_duplicate"
REASONS = {
    "no_customer_id": "no customer id",
    "no_timestamp": "no date",
    "unparsable_timestamp": "a date that cannot be read",
    "no_amount": "no amount",
    "no_margin": "no margin",
    "unparsable_amount": "an amount that is no finite number below 10^11",
    "unparsable_margin": "a margin that is no finite number below 10^11",
    "unknown_kind": "an unknown kind of contact",
    LATE: "dated on or after as_of, not looked at",
    DUPLICATE: "equal in every column to a row that is kept",
}


class TableReport(NamedTuple):
    """One table: rows_read = rows_kept + the sum of `dropped`.

    `first` quotes one offender per reason, the first in alphabetical order. `blanked` counts, per optional column,
    cells that could not be read and are taken as missing, in rows that are kept or dropped. `read_as` has a note per
    column with cells that are no plain number or ISO 8601 time and were read, with the first of them.
    `dropped_money_share` is the part of all known money, refunds counted like sales, that the dropped rows hold.
    """

    table: str
    rows_read: int
    rows_kept: int
    dropped: dict[str, int]
    first: dict[str, str]
    blanked: dict[str, int]
    read_as: tuple[str, ...] = ()
    dropped_money_share: float | None = None

    def as_dict(self) -> dict[str, object]:
        return self._asdict() | {"read_as": list(self.read_as)}

    def lines(self) -> list[str]:
        drops = [f"  {n:,} dropped: {REASONS[code]}{self._offender(code)}" for code, n in self.dropped.items() if n]
        blanks = [f"  {n:,} cells of {name} cannot be read and count as missing" for name, n in self.blanked.items()]
        notes = [f"  {note}" for note in self.read_as]
        share = self.dropped_money_share
        money = [f"  the dropped rows hold {share:.1%} of the money"] if share else []
        return [f"{self.table}: {self.rows_kept:,} of {self.rows_read:,} rows kept", *drops, *money, *blanks, *notes]

    def _offender(self, code: str) -> str:
        return f" (first: {self.first[code]})" if code in self.first else ""


class ReadingReport(NamedTuple):
    """All input tables, and what the transactions span.

    `n_customers` have a row before `as_of`, `n_buyers` of them an order. `exact_duplicates` are rows equal in every
    column to another one that is kept; they stay by default, for a line of a receipt can repeat. The three
    are None when they were not counted. `converted_to_utc` rows had an offset other than UTC;
    with a `timezone`, rows that were moved to its clock.
    """

    transactions: TableReport
    customers: TableReport | None
    interactions: TableReport | None
    as_of: datetime.date
    first_on: datetime.date
    last_on: datetime.date
    converted_to_utc: int
    n_customers: int | None
    n_buyers: int | None
    exact_duplicates: int | None
    timezone: str = "UTC"
    preset: PresetReport | None = None

    @property
    def rows_read(self) -> int:
        return self.transactions.rows_read

    @property
    def rows_kept(self) -> int:
        return self.transactions.rows_kept

    @property
    def dropped(self) -> dict[str, int]:
        return self.transactions.dropped

    @property
    def first(self) -> dict[str, str]:
        return self.transactions.first

    @property
    def rows_known(self) -> int:
        """Rows of the transactions that are not dated on or after `as_of`."""
        return self.rows_read - self.dropped.get(LATE, 0)

    @property
    def history_days(self) -> int:
        """From the first known day to `as_of`."""
        return (self.as_of - self.first_on).days

    @property
    def silence_days(self) -> int:
        """From the newest known day to `as_of`; 1 when the newest row is dated the day before."""
        return (self.as_of - self.last_on).days

    @property
    def dropped_known(self) -> dict[str, int]:
        """Known rows dropped because a required cell is missing or cannot be read, by reason."""
        return {code: n for code, n in self.dropped.items() if code not in (LATE, DUPLICATE)}

    @property
    def missing_share(self) -> float:
        """Their share among known rows, in [0, 1]."""
        return sum(self.dropped_known.values()) / self.rows_known

    def as_dict(self) -> dict[str, object]:
        """Only numbers, texts, lists and dictionaries, ready for JSON."""
        parts = (TableReport, PresetReport)
        given = {name: value for name, value in self._asdict().items() if not isinstance(value, parts)}
        days = {name: value.isoformat() for name, value in given.items() if isinstance(value, datetime.date)}
        tables = {table.table: table.as_dict() for table in self._tables()}
        preset = {"preset": self.preset.as_dict()} if self.preset else {}
        return given | days | tables | preset | {"notes": self.notes()}

    def lines(self) -> list[str]:
        """The report as lines of plain text."""
        span = f"known before {self.as_of}: {self.history_days:,} days, {self.first_on} to {self.last_on}"
        people = (
            [] if self.n_customers is None else [f"{self.n_customers:,} customers, {self.n_buyers:,} of them buyers"]
        )
        preset = self.preset.lines() if self.preset else []
        return [*preset, *(line for table in self._tables() for line in table.lines()), span, *people, *self.notes()]

    def notes(self) -> list[str]:
        """Remarks about the table as a whole."""
        moved = self.converted_to_utc
        found = {
            f"{self.exact_duplicates or 0:,} kept rows equal another row in every column": (
                self.exact_duplicates and not self.dropped.get(DUPLICATE)
            ),
            f"{moved:,} times had another offset and were converted to {self.timezone}": moved,
            f"the newest row is {self.silence_days:,} days before as_of": self.silence_days > 7,
        }
        return [note for note, is_so in found.items() if is_so]

    def _tables(self) -> list[TableReport]:
        return [table for table in (self.transactions, self.customers, self.interactions) if table is not None]
