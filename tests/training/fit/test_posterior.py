from __future__ import annotations

import numpy as np
import pytest

from tiercast.contract.vectors import Vector
from tiercast.models import btyd, gamma_gamma, orders
from tiercast.models.bgnbd import BgNbd
from tiercast.models.btyd import Btyd
from tiercast.models.gamma_gamma import GammaGamma
from tiercast.models.mbgnbd import MbgNbd
from tiercast.models.orders import OrderModel
from tiercast.models.paretonbd import ParetoNbd
from tiercast.training.fit import posterior

MODEL = Btyd(BgNbd(r=0.8, alpha=60.0, a=0.8, b=2.5), GammaGamma(p=6.25, q=3.74, v=15.44))
CHURN, VALUE, N = 60.0, 180.0, 40_000
CUSTOMERS = {
    "one-time": (0.0, 0.0, 200.0, np.nan),
    "regular": (6.0, 180.0, 200.0, 50.0),
    "gone": (6.0, 30.0, 300.0, 9.0),
}


OTHERS: dict[str, OrderModel] = {
    "bgnbd": MODEL.orders,
    "mbgnbd": MbgNbd(r=0.8, alpha=60.0, a=0.8, b=2.5),
    "paretonbd": ParetoNbd(r=0.8, alpha=60.0, s=0.7, beta=150.0),
}


def frame(x: float, t_x: float, T: float, m: float, model: Btyd = MODEL) -> dict[str, Vector]:
    columns = {"n_repeat_orders": x, "recency_days": t_x, "age_days": T, "n_orders": x + 1, "order_value_mean": m}
    alike = {name: np.full(N, number) for name, number in columns.items()}
    return alike | btyd.views(model, alike, CHURN, VALUE)


@pytest.mark.parametrize("who", CUSTOMERS)
@pytest.mark.parametrize("name", OTHERS)
def test_drawn_futures_average_to_the_closed_form(name: str, who: str) -> None:
    """The closed form is the mean of its own possible futures: money, and the chance of no order."""
    model = MODEL._replace(orders=OTHERS[name])
    alike = frame(*CUSTOMERS[who], model)
    money, gone = posterior.draw(model, alike, CHURN, VALUE, seed=1)
    error = money.std() / np.sqrt(N)
    assert money.mean() == pytest.approx(alike[btyd.VALUE][0], abs=4 * error)
    assert gone.mean() == pytest.approx(alike[btyd.P_CHURN][0], abs=4 * np.sqrt(0.25 / N))


def test_the_expectation_itself_is_orders_times_order_value() -> None:
    x, t_x, T, m = (np.array([number]) for number in CUSTOMERS["regular"])
    expected = orders.expected_orders(MODEL.orders, x, t_x, T, VALUE)
    expected = expected * gamma_gamma.expected_order_value(MODEL.money, x + 1, m)
    assert frame(*CUSTOMERS["regular"])[btyd.VALUE][0] == pytest.approx(expected[0])


def test_who_brings_money_has_ordered() -> None:
    money, gone = posterior.draw(MODEL, frame(*CUSTOMERS["regular"]), VALUE, VALUE, seed=2)
    assert ((money > 0) == (gone == 0)).all()


def test_without_leaving_the_draw_is_the_gamma_poisson_model() -> None:
    """NBD: P(no order in h) = ((alpha + T) / (alpha + T + h)) ** (r + x)."""
    model = MODEL._replace(orders=BgNbd(r=0.8, alpha=60.0, a=0.0, b=1.0))
    alike = frame(*CUSTOMERS["regular"])
    alike |= btyd.views(model, alike, CHURN, VALUE)
    _, gone = posterior.draw(model, alike, CHURN, VALUE, seed=3)
    assert gone.mean() == pytest.approx((260 / 320) ** 6.8, abs=4 * np.sqrt(0.25 / N))


def test_the_same_seed_gives_the_same_future() -> None:
    alike = frame(*CUSTOMERS["regular"])
    one, other = (posterior.draw(MODEL, alike, CHURN, VALUE, seed=7) for _ in range(2))
    assert np.array_equal(one[0], other[0])
    assert not np.array_equal(one[0], posterior.draw(MODEL, alike, CHURN, VALUE, seed=8)[0])
