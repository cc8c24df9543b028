"""Our fits as `lifetimes` objects, for people and notebooks that already speak it.

`lifetimes` stores a model as its `params_`; setting them rebuilds identical predictions. Importing it
changes a pandas option and warns about it (0.11.3 with pandas 3), so the import is wrapped and late.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from models.bgnbd import BgNbd
from models.gamma_gamma import GammaGamma

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEAST_DROPOUT = 1e-9
WEEK = 7


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


def diagrams(params: BgNbd, horizon_days: float, most_orders: int, oldest_days: float) -> dict[str, Figure]:
    """The diagnostic plots of `lifetimes` that need no data, on its usual axes: repeat orders by weeks.

    `alive` shows P(alive) and `orders` the orders expected in the horizon, for each number of repeat orders (up to
    `most_orders`) and each age at the last one, of customers who came `oldest_days` ago.
    """
    fitter = beta_geo_fitter(params._replace(alpha=params.alpha / WEEK))
    plotting, weeks = _lifetimes().plotting, max(round(oldest_days / WEEK), 1)
    return {
        "alive": _drawn(partial(plotting.plot_probability_alive_matrix, fitter, most_orders, weeks)),
        "orders": _drawn(
            partial(plotting.plot_frequency_recency_matrix, fitter, horizon_days / WEEK, most_orders, weeks)
        ),
    }


def _drawn(plot: Callable[[], Any]) -> Figure:
    """`lifetimes` draws on pyplot's current figure; it gets a fresh one, of which pyplot keeps nothing."""
    from matplotlib import pyplot

    figure = pyplot.figure(figsize=(7.2, 5.6), dpi=120)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            plot()
    finally:
        pyplot.close(figure)
    return figure


def _lifetimes() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lifetimes
        import lifetimes.plotting

        return lifetimes
