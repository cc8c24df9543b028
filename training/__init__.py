"""HOW WE CAME TO IT: splits, fits, calibration, baselines, evaluation, gates, MLflow tracking."""

from __future__ import annotations

import tiercast.models  # noqa: F401  (sets how OpenMP waits, before LightGBM is imported anywhere below)
