"""What a preset did with the rows: counts and money per step, as lines of text or as a dictionary."""

from __future__ import annotations

from typing import NamedTuple


class Step(NamedTuple):
    """Rows that one step concerned, and their money as the file gives it."""

    code: str
    text: str
    rows: int
    amount: float

    def line(self) -> str:
        return f"  {self.rows:,} {'row' if self.rows == 1 else 'rows'}, {self.amount:,.2f}: {self.text}"


class PresetReport(NamedTuple):
    """All rows known before as_of: `rows_read` = `orders` + the rows of all `steps`.

    `amount` is the money of the orders before refunds, `statuses` counts the orders by the status that the file gives.
    """

    preset: str
    about: str
    rows_read: int
    orders: int
    amount: float
    currency: str | None
    steps: tuple[Step, ...]
    refunds: Step
    customer: tuple[str, ...]
    in_lower_case: bool
    statuses: dict[str, int]

    def as_dict(self) -> dict[str, object]:
        steps = [{"code": code, "text": text, "rows": n, "amount": amount} for code, text, n, amount in self.steps]
        refunds = {"rows": self.refunds.rows, "amount": self.refunds.amount, "how": self.refunds.text}
        return self._asdict() | {"steps": steps, "refunds": refunds, "customer": list(self.customer)}

    def lines(self) -> list[str]:
        money = f"{self.amount:,.2f}{f' {self.currency}' if self.currency else ''}"
        head = f"preset {self.preset}: {self.orders:,} of {self.rows_read:,} rows are orders that count, {money}"
        taken = [self.refunds.line().replace(":", ": refunds,", 1)] if self.refunds.rows else []
        names = " or ".join(self.customer)
        who = f"  customers by {names}{', in lower case' if self.in_lower_case else ''}"
        listed = ", ".join(f"{name} {n:,}" for name, n in self.statuses.items())
        return [
            head,
            *(step.line() for step in self.steps),
            *taken,
            who,
            *([f"  kept by status: {listed}"] if listed else []),
        ]
