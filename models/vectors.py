"""The one shape of numbers that models take and give: one entry per customer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
