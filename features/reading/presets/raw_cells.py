"""What a preset does to a file's rows before their cells are parsed: it marks rows and puts cells into plain form."""

from __future__ import annotations

import datetime as dt
import functools
import operator
from collections.abc import Mapping

import ibis
from ibis.expr import types as ir

from tiercast.contract import inputs
from tiercast.features.reading import times, values
from tiercast.features.reading.dialect import Dialect
from tiercast.features.reading.presets.preset import Preset

# Columns that go with each row until the preset has been applied. They are no names that a file would have.
STEP, CURRENCY, STATUS = "tiercast step", "tiercast currency", "tiercast status"
REFUND, UNREAD_REFUND, REFUNDED_AT = "tiercast refund", "tiercast unread refund", "tiercast refunded at"
KEY = "tiercast key"
CONTINUATION, DROPPED = "continuation", "dropped_"
GROUPED = r"^[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?$"
KINDS = {column.name: column.kind for column in inputs.TRANSACTIONS}


def prepare(raw: ibis.Table, preset: Preset, named: Mapping[str, str], dialect: Dialect) -> ibis.Table:
    """`raw` with the marks of the preset, and with plain cells in the columns that `named` gives for ours."""
    marks: dict[str, ir.Value] = {STEP: _step(raw, preset), STATUS: _status(raw, preset)}
    if preset.lines.one_row_per:
        marks[KEY] = ibis.literal("\n").join([_text(raw, name).fill_null("") for name in preset.lines.one_row_per])
    if preset.currency is not None and preset.currency in raw.columns:
        marks[CURRENCY] = values.unblank(_text(raw, preset.currency)).strip().upper().fill_null("(blank)")
    if preset.refunds and preset.refunds.column in raw.columns:
        refund = values.money(plain_money(raw[preset.refunds.column], preset, dialect), "refund")
        marks |= {REFUND: refund.value.abs(), UNREAD_REFUND: refund.unread}
        if preset.refunds.dated_by in raw.columns:
            marks[REFUNDED_AT] = times.at_utc(raw[preset.refunds.dated_by])
    cells = {theirs: _plain(raw, preset, ours, theirs, dialect) for ours, theirs in named.items()}
    return raw.mutate(**marks, **cells)


def _step(raw: ibis.Table, preset: Preset) -> ir.Value:
    """The first reason for which a row is no order; null for the others."""
    blank = [name for name in preset.lines.blank if name in raw.columns]
    branches: list[tuple[ir.BooleanValue, str]] = []
    if blank:
        branches.append((functools.reduce(operator.and_, [_is_blank(raw, name) for name in blank]), CONTINUATION))
    for position, drop in enumerate(preset.drop):
        if drop.column in raw.columns:
            listed = [value.strip().lower() for value in drop.values]
            has_value = _text(raw, drop.column).strip().lower().isin(listed).fill_null(False)
            is_so = ~_is_blank(raw, drop.column) if drop.filled else has_value
            branches.append((is_so, f"{DROPPED}{position}"))
    return ibis.cases(*branches, else_=ibis.null("string")) if branches else ibis.null("string")


def _status(raw: ibis.Table, preset: Preset) -> ir.Value:
    """The status that the file gives, for the report: the column of which most values are dropped."""
    given = [drop for drop in preset.drop if drop.values and drop.column in raw.columns]
    name = max(given, key=lambda drop: len(drop.values)).column if given else None
    return ibis.null("string") if name is None else _text(raw, name).strip().lower().fill_null("(blank)")


def _plain(raw: ibis.Table, preset: Preset, ours: str, theirs: str, dialect: Dialect) -> ir.Value:
    several = [name for name in preset.columns.get(ours, ()) if name in raw.columns]
    if theirs not in several:  # the command line has named another column
        several = [theirs]
    if KINDS[ours] == "money":
        if dialect.decimal and len(several) == 1:
            return raw[theirs]  # the reader of forms knows the signs
        return _added([plain_money(raw[name], preset, dialect) for name in several], ours)
    if KINDS[ours] == "time":
        return _time(raw, preset, several)
    if ours == "customer_id" and preset.customers_in_lower_case:
        return ibis.coalesce(*[values.unblank(_text(raw, name)) for name in several]).strip().lower()
    if len(several) > 1:
        return ibis.coalesce(*[values.unblank(_text(raw, name)) for name in several])
    return raw[theirs]


def _time(raw: ibis.Table, preset: Preset, names: list[str]) -> ir.Value:
    if len(names) == 1 and preset.date_format is None:
        return raw[names[0]]
    parts = [_text(raw, name).strip() for name in names]
    text = parts[0] if len(parts) == 1 else ibis.literal(" ").join([parts[0], parts[1].fill_null("")]).strip()
    return text if preset.date_format is None else _as_iso(text, preset.date_format)


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def try_strptime(text: str, form: str) -> dt.datetime:  # type: ignore[empty-body]
    """DuckDB's own: null where the text has another form."""


def _as_iso(text: ir.Value, form: str) -> ir.Value:
    """Times of this form as ISO 8601; any other text stays, to be counted as unreadable or to be ISO 8601 already."""
    return try_strptime(text, form).strftime("%Y-%m-%d %H:%M:%S").fill_null(text)


def plain_money(column: ir.Value, preset: Preset, dialect: Dialect) -> ir.Value:
    """Money as a plain number: without the signs of its currency, without commas between thousands."""
    if not column.type().is_string():
        return column
    text = column.strip()
    for sign in preset.amounts.signs:
        text = text.replace(sign, "")
    if dialect.decimal == ",":
        text = text.replace(dialect.thousands or ".", "").replace(",", ".")
    elif preset.amounts.thousands_comma:
        text = ibis.ifelse(text.re_search(GROUPED), text.replace(",", ""), text)
    return text.strip()


def _added(amounts: list[ir.Value], name: str) -> ir.Value:
    if len(amounts) == 1:
        return amounts[0]
    return functools.reduce(operator.add, [values.money(amount, name).value for amount in amounts])


def _text(raw: ibis.Table, name: str) -> ir.Value:
    return raw[name].cast("string")


def _is_blank(raw: ibis.Table, name: str) -> ir.BooleanValue:
    return (_text(raw, name).strip() == "").fill_null(True)
