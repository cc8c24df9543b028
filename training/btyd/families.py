"""The three models of how often a customer orders, as the fit sees them: a likelihood, and where to start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from tiercast.contract.vectors import Vector
from tiercast.models import orders
from tiercast.models.bgnbd import BgNbd
from tiercast.models.mbgnbd import MbgNbd
from tiercast.models.orders import OrderModel
from tiercast.models.paretonbd import ParetoNbd
from tiercast.training.btyd import chances_likelihood, paretonbd_likelihood
from tiercast.training.btyd.histories import Histories

M = TypeVar("M", bound=OrderModel)


class Family(NamedTuple, Generic[M]):
    """One model. `beliefs` are starting points (r, third, fourth parameter), times in units of the mean age.

    `no_leaving` is what the third and fourth parameter are in the model without dropout, `nearly_none` close to it;
    `timed` are the places of the parameters that have the unit of time; `stages` the sizes of the samples that are
    climbed before all histories are.
    """

    params: Callable[[float, float, float, float], M]
    objective: Callable[[Histories, Vector], tuple[float, Vector]]
    beliefs: tuple[tuple[float, float, float], ...]
    timed: tuple[int, ...]
    one_timers_leave: bool
    no_leaving: tuple[float, float] = (0.0, 1.0)
    nearly_none: tuple[float, float] = (0.05, 1.0)
    stages: tuple[int, ...] = (4_000, 60_000)

    @property
    def title(self) -> str:
        """The model's name as people write it."""
        return orders.title(self.params(1.0, 1.0, 1.0, 1.0))


_AT_ORDERS = ((0.3, 0.5, 2.0), (1.0, 0.1, 1.0), (0.7, 3.0, 9.0), (0.3, 0.2, 0.1))

BGNBD = Family(BgNbd, chances_likelihood.bg_nbd, _AT_ORDERS, (1,), one_timers_leave=False)
MBGNBD = Family(MbgNbd, chances_likelihood.mbg_nbd, _AT_ORDERS, (1,), one_timers_leave=True)
PARETONBD = Family(
    ParetoNbd,
    paretonbd_likelihood.pareto_nbd,
    ((0.5, 0.6, 0.4), (1.0, 0.1, 1.0), (0.7, 3.0, 6.0), (0.3, 0.3, 0.05)),
    (1, 3),
    one_timers_leave=True,
    stages=(1_000, 15_000),  # each history costs as much as thirty do elsewhere
)

BY_NAME: Mapping[str, Family[Any]] = {"bgnbd": BGNBD, "mbgnbd": MBGNBD, "paretonbd": PARETONBD}
