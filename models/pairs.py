"""Functions of two whole numbers, computed once for each distinct pair.

Days and counts are whole numbers: a million customers have some ten thousand pairs of x and T, and a table
indexed by the pair is far cheaper than the hypergeometric function or an integral.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tiercast.contract.vectors import Vector

WORTH_A_TABLE, LARGEST_TABLE = 10_000, 5_000_000


def tabulate(function: Callable[[Vector, Vector], Vector], x: Vector, T: Vector) -> Vector:
    """`function(x, T)`, one number per customer; by table where many customers share few pairs.

    >>> tabulate(lambda x, T: x + T, np.array([2.0, 0.0]), np.array([10.0, 5.0]))
    array([12.,  5.])
    """
    if len(x) < WORTH_A_TABLE or not _are_whole(x, T):
        return function(x, T)
    n_ages = int(T.max()) + 1
    pair = x.astype(np.int64) * n_ages + T.astype(np.int64)
    table = np.zeros((int(x.max()) + 1) * n_ages)
    table[pair] = 1.0
    different = np.flatnonzero(table)
    table[different] = function((different // n_ages).astype(np.float64), (different % n_ages).astype(np.float64))
    return table[pair]


def _are_whole(x: Vector, T: Vector) -> bool:
    if (x.max() + 1.0) * (T.max() + 1.0) > LARGEST_TABLE or min(x.min(), T.min()) < 0:
        return False
    return bool(np.array_equal(x, np.floor(x)) and np.array_equal(T, np.floor(T)))
