"""The shapes of numbers and letters that tiers take and give: one entry per customer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]
Text = NDArray[np.str_]
