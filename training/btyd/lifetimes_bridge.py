"""Our fits as `lifetimes` objects, for people and notebooks that already speak it.

`lifetimes` stores a model as its `params_`; setting them rebuilds identical predictions. Importing it
changes a pandas option and warns about it (0.11.3 with pandas 3), so the import is wrapped and late.
"""

from __future__ import annotations

import warnings
from typing import Any

import pandas as pd

from models.bgnbd import BgNbd
from models.gamma_gamma import GammaGamma

LEAST_DROPOUT = 1e-9


def beta_geo_fitter(params: BgNbd) -> Any:
    """A `lifetimes.BetaGeoFitter` that predicts with these parameters.

    `lifetimes` cannot say "no dropout" (a == 0); it gets an `a` so small that the forecasts agree.
    """
    fitter = _lifetimes().BetaGeoFitter()
    fitter.params_ = pd.Series(params._replace(a=max(params.a, LEAST_DROPOUT))._asdict())
    fitter.predict = fitter.conditional_expected_number_of_purchases_up_to_time
    return fitter


def gamma_gamma_fitter(params: GammaGamma) -> Any:
    """A `lifetimes.GammaGammaFitter` that predicts with these parameters."""
    fitter = _lifetimes().GammaGammaFitter()
    fitter.params_ = pd.Series(params._asdict())
    return fitter


def _lifetimes() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lifetimes

        return lifetimes
