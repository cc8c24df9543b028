"""Apply a preset to parsed rows: leave out what is no order, choose the currency, take refunds off; count all of it.

A row leaves for the first reason that holds: a further line of its order, a status, another currency, no customer,
money that was given back in full.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import ibis
from ibis.expr import types as ir

from tiercast.contract import errors
from tiercast.features.engines import Engine
from tiercast.features.reading import validation, values
from tiercast.features.reading.presets import raw_cells
from tiercast.features.reading.presets.preset import Preset
from tiercast.features.reading.presets.report import PresetReport, Step

OTHER_CURRENCY, NO_CUSTOMER, GIVEN_BACK, REPEATED = "other_currency", "no_customer", "refunded_in_full", "repeated"
MARK = validation.OTHER
GROUPS = ("step", "status", "currency")
SHOWN = 8


class Applied(NamedTuple):
    """The rows that are orders, refunds taken into account, and all rows with their marks for counting."""

    table: ibis.Table
    marked: ibis.Table
    preset: Preset
    currency: str | None


def apply(parsed: ibis.Table, preset: Preset, currency: str | None) -> Applied:
    """Mark every row with the reason why it is no order (`step`, null for orders), and keep the others."""
    marked = _in_units(parsed, preset)
    chosen = currency.strip().upper() if currency else None
    marked = marked.mutate(step=_reason(marked, preset, chosen))
    if preset.lines.one_row_per:
        marked = _without_repeats(marked)
    kept = marked.filter(marked["step"].isnull())
    return Applied(_with_refunds(kept, preset, parsed.columns), marked, preset, chosen)


def _in_units(parsed: ibis.Table, preset: Preset) -> ibis.Table:
    """Our short names for the marks; cents as units of the currency."""
    given = {name: MARK + column for name, column in _marks().items()}
    marks = {name: parsed[column] if column in parsed.columns else _absent(name) for name, column in given.items()}
    table = parsed.mutate(**marks)
    if not preset.amounts.minor_units:
        return table
    unit = ibis.literal(10**preset.amounts.minor_units)
    return table.mutate(**{name: (table[name] / unit).cast(values.MONEY) for name in ("amount", "refund")})


def _marks() -> dict[str, str]:
    return {
        "given": raw_cells.STEP,
        "key": raw_cells.KEY,
        "status": raw_cells.STATUS,
        "currency": raw_cells.CURRENCY,
        "refund": raw_cells.REFUND,
        "unread_refund": raw_cells.UNREAD_REFUND,
        "refunded_at": raw_cells.REFUNDED_AT,
    }


def _absent(name: str) -> ir.Value:
    return ibis.null({"refund": values.MONEY, "refunded_at": "timestamp(6)"}.get(name, "string"))


def _reason(marked: ibis.Table, preset: Preset, currency: str | None) -> ir.Value:
    branches: list[tuple[ir.BooleanValue, Any]] = [(marked["given"].notnull(), marked["given"])]
    if currency is not None:
        branches.append((marked["currency"] != currency, OTHER_CURRENCY))
    branches.append((marked["customer_id"].isnull(), NO_CUSTOMER))
    if preset.refunds and preset.refunds.how == "net":
        branches.append(((marked["amount"] > 0) & (marked["refund"] >= marked["amount"]), GIVEN_BACK))
    return ibis.cases(*branches, else_=ibis.null("string"))


def _without_repeats(marked: ibis.Table) -> ibis.Table:
    """One row per key, such as an order whose total stands on each of its lines; `differs` where it is not the same."""
    same = ibis.window(group_by=["key", "step"])
    first = ibis.row_number().over(ibis.window(group_by=["key", "step"], order_by=["ordered_at", "amount"]))
    is_repeat = marked["step"].isnull() & (first > 0)
    differs = marked["amount"].max().over(same) != marked["amount"].min().over(same)
    return marked.mutate(
        step=ibis.ifelse(is_repeat, REPEATED, marked["step"]), differs=is_repeat & differs.fill_null(False)
    )


def _with_refunds(kept: ibis.Table, preset: Preset, columns: tuple[str, ...]) -> ibis.Table:
    """`kept` without the marks; money that was given back is off the amount, or a row of its own."""
    names = [name for name in columns if not name.startswith(MARK + "tiercast ")]
    if preset.refunds is None:
        return kept.select(names)
    back = kept["refund"].fill_null(0)
    is_unread = kept["unread_refund"].notnull()
    if preset.refunds.how == "net":
        amount = ibis.ifelse(is_unread, ibis.null(values.MONEY), (kept["amount"] - back).cast(values.MONEY))
        unread = kept["unread_amount"].fill_null(kept["unread_refund"])
        return kept.mutate(amount=amount, unread_amount=unread).select(names)
    refunded = kept.filter(back > 0)
    negative = refunded.mutate(
        amount=(-refunded["refund"]).cast(values.MONEY),
        ordered_at=refunded["refunded_at"].fill_null(refunded["ordered_at"]),
    )
    return kept.select(names).union(negative.select(names))


def count(engine: Engine, applied: Applied, as_of: dt.date, source: str) -> PresetReport:
    """What was left out and changed, of rows before `as_of`. Raises `BadInput` for several currencies."""
    marked = applied.marked
    late = marked["ordered_at"] >= ibis.literal(as_of).cast("timestamp(6)")
    known = marked.filter(~late.fill_null(False))
    measures: dict[str, Any] = {
        "n": known.count(),
        "amount": known["amount"].sum(),
        "n_refunds": (known["refund"] > 0).sum(),
        "refunds": known["refund"].sum(),
    }
    if "differs" in known.columns:
        measures |= {"n_differing": known["differs"].sum(), "first_differing": _first(known)}
    found = engine.con.to_pyarrow(known.group_by(GROUPS).aggregate(**measures)).to_pylist()
    _refuse_currencies(found, applied, source)
    _refuse_differing(found, source)
    report = _report(found, applied)
    _refuse_nothing_left(report, source)
    return report


def _refuse_nothing_left(report: PresetReport, source: str) -> None:
    if report.rows_read and not report.orders:
        most = max(report.steps, key=lambda step: step.rows)
        raise errors.NothingKnown(
            f"the preset {report.preset!r} leaves no order",
            count=report.rows_read,
            total=report.rows_read,
            first=f"{source}: {most.rows:,} rows are {most.text}",
            hint="export paid orders, too; or copy the preset and change what it drops: --from FILE.toml",
        )


def _first(known: ibis.Table) -> ir.Value:
    return ibis.ifelse(known["differs"], known["key"], ibis.null("string")).min()


def _refuse_currencies(found: list[dict[str, Any]], applied: Applied, source: str) -> None:
    rows: dict[str, int] = {}
    for row in found:
        if row["currency"] and (row["step"] is None or row["step"] == OTHER_CURRENCY):
            rows[row["currency"]] = rows.get(row["currency"], 0) + row["n"]
    counted = sorted(rows.items(), key=lambda each: (-each[1], each[0]))
    listed = ", ".join(f"{name} {n:,}" for name, n in counted[:SHOWN])
    total = sum(rows.values())
    if applied.currency is not None and applied.currency not in rows:
        what = f"no order is in {applied.currency}"
        raise errors.BadInput(what, count=total, total=total, first=f"{source}: {listed}", hint=_choose(counted))
    if applied.currency is None and len(rows) > 1:
        raise errors.BadInput(
            "the orders are in several currencies, which cannot be added",
            count=total - counted[0][1],
            total=total,
            first=f"{source}: {listed}",
            hint=_choose(counted),
        )


def _choose(counted: list[tuple[str, int]]) -> str:
    return f"keep one of them: --currency {counted[0][0] if counted else 'EUR'}"


def _refuse_differing(found: list[dict[str, Any]], source: str) -> None:
    n = sum(int(row.get("n_differing") or 0) for row in found)
    if n:
        first = min(row["first_differing"] for row in found if row["first_differing"] is not None)
        raise errors.BadInput(
            "rows that should repeat one amount have different ones, so it is not known which counts",
            count=n,
            total=sum(row["n"] for row in found),
            first=f"{source}: {first}",
            hint="use a column with the amount of each line, in a preset without lines.one_row_per",
        )


def _report(found: list[dict[str, Any]], applied: Applied) -> PresetReport:
    preset = applied.preset
    texts = {raw_cells.CONTINUATION: "further lines of an order, without a total of their own"}
    texts |= {f"{raw_cells.DROPPED}{n}": drop.reason for n, drop in enumerate(preset.drop)}
    texts |= {
        REPEATED: "repeats of a row that counts",
        OTHER_CURRENCY: f"in another currency than {applied.currency}",
        NO_CUSTOMER: f"without a customer ({' or '.join(preset.columns['customer_id'])} is blank)",
        GIVEN_BACK: "refunded in full",
    }
    steps = [Step(code, text, *_sums(found, code)) for code, text in texts.items()]
    kept = [row for row in found if row["step"] is None]
    statuses = sorted({row["status"] for row in kept if row["status"]})
    return PresetReport(
        preset=preset.name,
        about=preset.about,
        rows_read=sum(row["n"] for row in found),
        orders=sum(row["n"] for row in kept),
        amount=_money(sum(row["amount"] or 0 for row in kept)),
        currency=", ".join(sorted({row["currency"] for row in kept if row["currency"]})) or None,
        steps=tuple(step for step in steps if step.rows),
        refunds=Step(
            "refunds",
            "taken off their orders"
            if not preset.refunds or preset.refunds.how == "net"
            else "rows of their own, below zero",
            sum(int(row["n_refunds"] or 0) for row in kept),
            _money(sum(row["refunds"] or 0 for row in kept)),
        ),
        customer=preset.columns["customer_id"],
        in_lower_case=preset.customers_in_lower_case,
        statuses={name: sum(row["n"] for row in kept if row["status"] == name) for name in statuses},
    )


def _sums(found: list[dict[str, Any]], code: str) -> tuple[int, float]:
    rows = [row for row in found if row["step"] == code]
    return sum(row["n"] for row in rows), _money(sum(row["amount"] or 0 for row in rows))


def _money(amount: Any) -> float:
    return round(float(amount), 2)
