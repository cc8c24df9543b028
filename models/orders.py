"""The order models behind one set of functions.

    bgnbd       BG/NBD       customers leave after repeat orders only
    mbgnbd      MBG/NBD      customers leave after any order, the first one too
    paretonbd   Pareto/NBD   customers leave at any time

All three take the same history (x, t_x, T; see models.bgnbd). Without dropout, each is the NBD model.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, TypeAlias

from tiercast.contract.vectors import Vector
from tiercast.models import bgnbd, mbgnbd, paretonbd
from tiercast.models.bgnbd import BgNbd
from tiercast.models.mbgnbd import MbgNbd
from tiercast.models.paretonbd import ParetoNbd

OrderModel: TypeAlias = BgNbd | MbgNbd | ParetoNbd

TITLES = {"bgnbd": "BG/NBD", "mbgnbd": "MBG/NBD", "paretonbd": "Pareto/NBD"}
_KINDS: dict[str, type[OrderModel]] = {"bgnbd": BgNbd, "mbgnbd": MbgNbd, "paretonbd": ParetoNbd}
_MATHS: dict[type[OrderModel], ModuleType] = {BgNbd: bgnbd, MbgNbd: mbgnbd, ParetoNbd: paretonbd}


def name(model: OrderModel) -> str:
    """The model's name in settings, bundles and MLflow.

    >>> name(MbgNbd(r=0.5, alpha=6.0, a=0.9, b=1.6))
    'mbgnbd'
    """
    return next(name for name, kind in _KINDS.items() if isinstance(model, kind))


def title(model: OrderModel) -> str:
    """The model's name in the literature.

    >>> title(ParetoNbd(r=0.5, alpha=10.0, s=0.6, beta=11.0))
    'Pareto/NBD'
    """
    return TITLES[name(model)]


def as_dict(model: OrderModel) -> dict[str, Any]:
    """The model's name and its parameters."""
    return {"model": name(model), **model._asdict()}


def from_dict(data: dict[str, Any]) -> OrderModel:
    """The inverse of `as_dict`, from parsed JSON. Raises KeyError or TypeError for another model or parameter."""
    return _KINDS[data["model"]](**{key: value for key, value in data.items() if key != "model"})


def log_likelihood(model: OrderModel, x: Vector, t_x: Vector, T: Vector) -> Vector:
    """The log-likelihood of each customer's history."""
    result: Vector = _MATHS[type(model)].log_likelihood(model, x, t_x, T)
    return result


def p_alive(model: OrderModel, x: Vector, t_x: Vector, T: Vector) -> Vector:
    """P(alive at T | x, t_x, T), in [0, 1]."""
    result: Vector = _MATHS[type(model)].p_alive(model, x, t_x, T)
    return result


def p_no_order(
    model: OrderModel, x: Vector, t_x: Vector, T: Vector, horizon: float, alive: Vector | None = None
) -> Vector:
    """P(no order in the next `horizon` | x, t_x, T), in [0, 1]; `alive` is their p_alive, where it is known already."""
    result: Vector = _MATHS[type(model)].p_no_order(model, x, t_x, T, horizon, alive)
    return result


def expected_orders(
    model: OrderModel, x: Vector, t_x: Vector, T: Vector, horizon: float, alive: Vector | None = None
) -> Vector:
    """E[orders in the next `horizon` | x, t_x, T], at least 0; `alive` as above."""
    result: Vector = _MATHS[type(model)].expected_orders(model, x, t_x, T, horizon, alive)
    return result


def expected_orders_of_new(model: OrderModel, t: Vector) -> Vector:
    """E[X(t)]: repeat orders of a customer picked at random, `t` after their first order."""
    result: Vector = _MATHS[type(model)].expected_orders_of_new(model, t)
    return result
