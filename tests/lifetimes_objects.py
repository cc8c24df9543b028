"""Fitted objects of `lifetimes` with our parameters, to compare with."""

from __future__ import annotations

from typing import Any

import lifetimes
import pandas as pd

from tiercast.models.gamma_gamma import GammaGamma


def gamma_gamma_fitter(params: GammaGamma) -> Any:
    """A `lifetimes.GammaGammaFitter` that predicts with these parameters."""
    fitter = lifetimes.GammaGammaFitter()
    fitter.params_ = pd.Series(params._asdict())
    return fitter
