"""What a fit asks of its customers before it starts; every refusal names the first offender."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiercast.contract import errors
from tiercast.contract.vectors import Vector

FEWEST_REPEAT_BUYERS = 2
FEWEST_HISTORIES = 3


def histories(
    x: Vector, t_x: Vector, T: Vector, weights: Vector | None
) -> tuple[Vector, Vector, Vector, Vector | None]:
    """The same four as float64, or BadInput / NotEnoughData."""
    x, t_x, T = (np.asarray(part, dtype=np.float64) for part in (x, t_x, T))
    finite = np.isfinite(x) & np.isfinite(t_x) & np.isfinite(T)
    _refuse(~finite, "x, t_x or T is missing or infinite", x, t_x, T)
    _refuse((x < 0) | (x != np.floor(x)), "x is not a count of repeat orders", x, t_x, T)
    _refuse((t_x < 0) | (t_x > T), "the last order is not between the first one and as_of", x, t_x, T)
    _refuse((x == 0) != (t_x == 0), "x and t_x contradict each other: only one-time buyers have both at 0", x, t_x, T)
    weights = _weights(weights, len(x))
    _require_repeats(x, t_x, T, weights)
    return x, t_x, T, weights


def order_values(x: Vector, m: Vector, weights: Vector | None) -> tuple[Vector, Vector, Vector | None]:
    """Customers with orders of positive mean value, as float64, or NotEnoughData where there is none."""
    x, m = np.asarray(x, dtype=np.float64), np.asarray(m, dtype=np.float64)
    usable = np.isfinite(m) & (np.nan_to_num(m) > 0) & (x > 0)
    weights = _weights(weights, len(x))
    x, m = x[usable], m[usable]
    if not len(x):
        raise errors.NotEnoughData(
            "spent anything, so no value can be learned",
            count=0,
            total=_sum(weights, np.ones(len(usable), dtype=np.bool_)),
            unit="customers",
            first="nobody has an order with a positive amount",
            hint="check that the amount column holds money.",
        )
    return x, m, None if weights is None else weights[usable]


def _sum(weights: Vector | None, some: NDArray[np.bool_]) -> int:
    """How many customers these rows stand for."""
    return int(some.sum() if weights is None else weights[some].sum())


def _require_repeats(x: Vector, t_x: Vector, T: Vector, weights: Vector | None) -> None:
    repeats, everybody = _sum(weights, x > 0), _sum(weights, x >= 0)
    different = len(np.unique(np.column_stack([x, t_x, T])[:10_000], axis=0))
    if repeats < FEWEST_REPEAT_BUYERS or different < FEWEST_HISTORIES:
        raise errors.NotEnoughData(
            f"have repeat orders, in {different:,} different histories; a fit needs at least "
            f"{FEWEST_REPEAT_BUYERS} such customers and {FEWEST_HISTORIES} histories",
            count=repeats,
            total=everybody,
            unit="customers",
            first=f"row 0, x {x[0]:g}, t_x {t_x[0]:g}, T {T[0]:g}" if len(x) else "there is no customer",
            hint="use a longer history, or check that customer_id does not change with every order.",
        )


def _weights(weights: Vector | None, n: int) -> Vector | None:
    if weights is None:
        return None
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != (n,) or not np.all(np.isfinite(weights) & (weights > 0)):
        raise errors.BadInput(
            "weights must be one positive number per customer",
            hint="leave weights out, or pass how many customers share each row.",
        )
    return weights


def _refuse(wrong: NDArray[np.bool_], what: str, x: Vector, t_x: Vector, T: Vector) -> None:
    if not wrong.any():
        return
    row = int(np.argmax(wrong))
    raise errors.BadInput(
        what,
        count=int(wrong.sum()),
        total=len(x),
        unit="customers",
        first=f"row {row}, x {x[row]:g}, t_x {t_x[row]:g}, T {T[row]:g}",
        hint="count orders by day, up to but not including as_of, as tiercast check does.",
    )
