"""Arithmetic whose result does not depend on the order of rows or the number of threads.

Floating-point sums change in their last bits when rows arrive in another order, and scores must be reproducible to the
byte. Decimals add exactly, in DuckDB and in Spark.
"""

from __future__ import annotations

import datetime as dt

import ibis
from ibis.expr import types as ir

from tiercast.contract.inputs import MONEY_PLACES

EPOCH = dt.date(1970, 1, 1)


def decimal(column: ir.NumericValue) -> ir.DecimalValue:
    """A number as a decimal of 38 digits, six of them after the point."""
    return column.cast(f"decimal(38,{MONEY_PLACES})")


def total(column: ir.NumericColumn, where: ir.BooleanValue | None = None) -> ir.FloatingScalar:
    """The exact sum, 0 of no rows. Engines widen decimals when they add them."""
    added = column if column.type().is_decimal() else decimal(column)
    return added.sum(where=where).cast("float64").fill_null(0.0)


def square_total(column: ir.NumericColumn) -> ir.FloatingScalar:
    """The exact sum of squares; each square is rounded to six places first."""
    as_float = column.cast("float64")
    return decimal(as_float * as_float).sum().cast("float64")


def spread(squares: ir.FloatingValue, mean: ir.FloatingValue, n: ir.NumericValue) -> ir.FloatingValue:
    """The sample standard deviation from a sum of squares; null below two values.

    Cancellation can give a tiny negative variance where all values are equal: it counts as 0.
    """
    variance = (squares - n * mean * mean) / (n - 1)
    return ibis.ifelse(n >= 2, ibis.greatest(variance, 0.0).sqrt(), ibis.null("float64"))


def day_number(column: ir.DateValue) -> ir.IntegerValue:
    """Days since 1970-01-01: dates as whole numbers."""
    return column.delta(ibis.date(EPOCH.year, EPOCH.month, EPOCH.day), unit="day")


def day_of(as_of: dt.date) -> int:
    """The same count for a Python date.

    >>> day_of(dt.date(1997, 1, 1))
    9862
    """
    return (as_of - EPOCH).days
