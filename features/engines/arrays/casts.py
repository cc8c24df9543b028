"""Casts from one type to another, with DuckDB's rounding and DuckDB's rules for times in text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from ibis.expr import datatypes as dt
from numpy.typing import NDArray

from tiercast.contract.vectors import Mask
from tiercast.features.engines.arrays.column import FEW, Column, UnsupportedOperation

Cast = Callable[[Column], Column]
DAY_MICROSECONDS = 86_400_000_000
MINUTE_MICROSECONDS = 60_000_000
EXACT = 1 << 53
BEYOND_INT64 = 2.0**63
TIME = re.compile(
    r" *(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?P<clock>[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)[0-9]*"
    r"(?:Z|(?P<sign>[+-])(?P<hours>[0-9]{2}):?(?P<minutes>[0-9]{2})?)? *)?"
)


def cast(given: dt.DataType, wanted: dt.DataType) -> Cast:
    """The function that casts a column. Raises `UnsupportedOperation` for a pair of types that no feature needs."""
    kinds = _kind(given), _kind(wanted)
    if kinds in CASTS:
        return CASTS[kinds](given, wanted)
    if kinds[0] == kinds[1] != "decimal":
        return lambda column: column
    raise UnsupportedOperation(f"no cast from {given} to {wanted}")


def _kind(kind: dt.DataType) -> str:
    names = ("decimal", "floating", "integer", "boolean", "date", "timestamp", "string")
    return next((name for name in names if getattr(kind, f"is_{name}")()), str(kind))


def _plain(column: Column) -> Column:
    return Column(column.values.astype(np.float64), column.known)


def _from_decimal(values: NDArray[Any], unit: int) -> NDArray[np.float64]:
    """The nearest float. Above 2^53 an int64 is no exact float; only Python's division of whole numbers rounds once."""
    if values.dtype == np.int64 and (np.abs(values) <= EXACT).all():
        return values / float(unit)
    divided: NDArray[np.float64] = np.array([value / unit for value in values.ravel().tolist()], np.float64)
    return divided.reshape(values.shape)


def _to_decimal(given: Column, digits: int, places: int) -> Column:
    """Rounded half away from zero; null for too many digits and for NaN."""
    scaled = given.values * 10.0**places
    whole = np.trunc(scaled)
    rounded = np.where(np.abs(scaled - whole) >= 0.5, whole + np.sign(scaled), whole)
    fits = np.abs(rounded) < 10.0**digits
    known = None if fits.all() else fits
    if known is not None:
        rounded = np.where(fits, rounded, 0.0)
    if (np.abs(rounded) < BEYOND_INT64).all():
        values = rounded.astype(np.int64)
    else:
        values = np.array([int(value) for value in rounded.ravel().tolist()], object).reshape(rounded.shape)
    return Column(values, _both(given.known, known))


def _to_whole(given: Column) -> Column:
    """Rounded half to even; null where int64 is too small, and for NaN."""
    rounded = np.rint(given.values)
    fits = np.abs(rounded) < BEYOND_INT64
    return Column(np.where(fits, rounded, 0.0).astype(np.int64), _both(given.known, fits))


def _to_text(given: Column) -> Column:
    return Column(_objects([str(value) for value in given.values.ravel().tolist()], given.values.shape), given.known)


def _to_time(given: Column) -> Column:
    """ISO 8601 to microseconds at UTC; null for any other text. Digits beyond microseconds are truncated."""
    texts = given.values.ravel()
    quick = _parse_with_arrow(texts) if len(texts) >= FEW and given.known is None else None
    if quick is not None:
        return Column(quick)
    read = [_parse_time(text) for text in texts.tolist()]
    values = np.array([0 if each is None else each for each in read], np.int64).reshape(given.values.shape)
    found = np.array([each is not None for each in read], bool).reshape(given.values.shape)
    return Column(values, _both(given.known, found))


def _parse_with_arrow(texts: NDArray[np.object_]) -> NDArray[np.int64] | None:
    """Parse all texts at once, where all or none have an offset; None where Arrow cannot parse one of them."""
    written = pa.array(texts, pa.string())
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
        try:
            return written.cast(kind).to_numpy(zero_copy_only=False).astype(np.int64)  # type: ignore[no-any-return]
        except pa.ArrowInvalid:
            continue
    return None


def _parse_time(text: str) -> int | None:
    match = TIME.fullmatch(text)
    if match is None:
        return None
    try:
        local = int(np.datetime64(f"{match['day']}T{match['clock'] or '00:00'}", "us").astype(np.int64))
    except ValueError:
        return None  # the 30th of February
    ahead = int(match["hours"] or 0) * 60 + int(match["minutes"] or 0)
    return local - (-ahead if match["sign"] == "-" else ahead) * MINUTE_MICROSECONDS


def _objects(values: list[str], shape: tuple[int, ...]) -> NDArray[np.object_]:
    out = np.empty(len(values), object)
    out[:] = values
    return out.reshape(shape)


def _both(first: Mask | None, second: Mask | None) -> Mask | None:
    if first is None or second is None:
        return second if first is None else first
    return first & second


CASTS: Mapping[tuple[str, str], Callable[[dt.DataType, dt.DataType], Cast]] = {
    ("decimal", "floating"): lambda given, _: lambda c: Column(_from_decimal(c.values, 10**given.scale), c.known),
    ("floating", "decimal"): lambda _, wanted: lambda c: _to_decimal(c, wanted.precision, wanted.scale),
    ("date", "timestamp"): lambda *_: lambda c: Column(c.values * DAY_MICROSECONDS, c.known),
    ("timestamp", "date"): lambda *_: lambda c: Column(c.values // DAY_MICROSECONDS, c.known),
    ("string", "timestamp"): lambda *_: _to_time,
    ("integer", "string"): lambda *_: _to_text,
    ("floating", "string"): lambda *_: _to_text,
    ("floating", "integer"): lambda *_: _to_whole,
    ("integer", "floating"): lambda *_: _plain,
    ("boolean", "floating"): lambda *_: _plain,
}
