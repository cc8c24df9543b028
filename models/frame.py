"""A feature table as columns of numbers by name: the input of the models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector

Frame: TypeAlias = Mapping[str, Vector]


def from_arrow(table: pa.Table, names: Sequence[str]) -> dict[str, Vector]:
    """The named columns as float64, null as NaN, without copies where Arrow allows."""
    return {name: np.asarray(table.column(name).to_numpy(zero_copy_only=False), dtype=np.float64) for name in names}


def matrix(frame: Frame, names: Sequence[str]) -> NDArray[np.float64]:
    """Shape (customers, names), in the order of `names`."""
    return np.column_stack([frame[name] for name in names])


def size(frame: Frame) -> int:
    """The number of customers."""
    return len(next(iter(frame.values())))
