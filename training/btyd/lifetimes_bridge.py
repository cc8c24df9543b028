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

from tiercast.models import orders
from tiercast.models.orders import OrderModel
from tiercast.models.paretonbd import ParetoNbd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FITTERS = {"bgnbd": "BetaGeoFitter", "mbgnbd": "ModifiedBetaGeoFitter", "paretonbd": "ParetoNBDFitter"}
LEAST_DROPOUT = 1e-9
WEEK = 7


def orders_fitter(params: OrderModel) -> Any:
    """The `lifetimes` fitter of the same model that predicts with these parameters.

    `lifetimes` cannot say "no dropout" (a or s is 0); it gets a number so small that the forecasts agree.
    """
    fitter = getattr(_lifetimes(), FITTERS[orders.name(params)])()
    leaving = "s" if isinstance(params, ParetoNbd) else "a"
    given = params._asdict()
    fitter.params_ = pd.Series(given | {leaving: max(given[leaving], LEAST_DROPOUT)})
    fitter.predict = fitter.conditional_expected_number_of_purchases_up_to_time
    return fitter


def diagrams(params: OrderModel, horizon_days: float, most_orders: int, oldest_days: float) -> dict[str, Figure]:
    """The diagnostic plots of `lifetimes` that need no data, on its usual axes: repeat orders by weeks.

    `alive` shows P(alive) and `orders` the orders expected in the horizon, for each number of repeat orders (up to
    `most_orders`) and each age at the last one, of customers who came `oldest_days` ago.
    """
    fitter = orders_fitter(_in_weeks(params))
    plotting, weeks = _lifetimes().plotting, max(round(oldest_days / WEEK), 1)
    return {
        "alive": _drawn(partial(plotting.plot_probability_alive_matrix, fitter, most_orders, weeks)),
        "orders": _drawn(
            partial(plotting.plot_frequency_recency_matrix, fitter, horizon_days / WEEK, most_orders, weeks)
        ),
    }


def _in_weeks(params: OrderModel) -> OrderModel:
    if isinstance(params, ParetoNbd):
        return params._replace(alpha=params.alpha / WEEK, beta=params.beta / WEEK)
    return params._replace(alpha=params.alpha / WEEK)


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
