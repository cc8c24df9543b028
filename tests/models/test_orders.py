"""What no order model may break, whichever it is. Times in days."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiercast.contract.vectors import Vector
from tiercast.models import orders
from tiercast.models.bgnbd import BgNbd
from tiercast.models.mbgnbd import MbgNbd
from tiercast.models.orders import OrderModel
from tiercast.models.paretonbd import ParetoNbd

TWENTY_YEARS = 7305.0
Customer = tuple[Vector, Vector, Vector]


def size(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(np.log(low), np.log(high)).map(lambda power: float(np.exp(power)))


wild = {
    "r": size(1e-5, 1e4),
    "alpha": size(1e-3, 1e6),
}
any_model: st.SearchStrategy[OrderModel] = st.one_of(
    st.builds(BgNbd, **wild, a=size(1e-6, 1e4), b=size(1e-4, 1e5)),
    st.builds(MbgNbd, **wild, a=size(1e-6, 1e4), b=size(1e-4, 1e5)),
    st.builds(ParetoNbd, **wild, s=size(1e-6, 1e4), beta=size(1e-4, 1e5)),
    st.builds(MbgNbd, **wild, a=st.just(0.0), b=st.just(1.0)),
    st.builds(ParetoNbd, **wild, s=st.just(0.0), beta=st.just(1.0)),
)
usual = {"r": size(0.05, 20.0), "alpha": size(1.0, 2000.0)}
usual_model: st.SearchStrategy[OrderModel] = st.one_of(
    st.builds(BgNbd, **usual, a=size(0.02, 20.0), b=size(0.1, 50.0)),
    st.builds(MbgNbd, **usual, a=size(0.02, 20.0), b=size(0.1, 50.0)),
    st.builds(ParetoNbd, **usual, s=size(0.02, 20.0), beta=size(1.0, 2000.0)),
)
NO_LEAVING: dict[str, OrderModel] = {
    "bgnbd": BgNbd(r=0.5, alpha=50.0, a=0.0, b=1.0),
    "mbgnbd": MbgNbd(r=0.5, alpha=50.0, a=0.0, b=1.0),
    "paretonbd": ParetoNbd(r=0.5, alpha=50.0, s=0.0, beta=1.0),
}
TYPICAL: dict[str, OrderModel] = {
    "bgnbd": BgNbd(r=0.5, alpha=40.0, a=0.7, b=3.0),
    "mbgnbd": MbgNbd(r=0.5, alpha=40.0, a=0.7, b=3.0),
    "paretonbd": ParetoNbd(r=0.5, alpha=40.0, s=0.6, beta=90.0),
}


@st.composite
def customers(draw: st.DrawFn) -> Customer:
    x = float(draw(st.integers(0, 2000)))
    T = draw(st.floats(0.0 if x == 0 else 0.01, TWENTY_YEARS))
    t_x = T * draw(st.floats(0.001, 1.0)) if x > 0 else 0.0
    return np.array([x]), np.array([t_x]), np.array([T])


@given(usual_model, customers(), size(0.1, 1000.0))
def test_silence_is_as_likely_as_a_history_that_stays_the_same_for_longer(
    model: OrderModel, customer: Customer, horizon: float
) -> None:
    """A second way: the history at T + h without a new order is "no order in (T, T + h]", so P is a ratio of two."""
    x, t_x, T = customer
    longer, now = (orders.log_likelihood(model, x, t_x, end)[0] for end in (T + horizon, T))
    answer = orders.p_no_order(model, *customer, horizon)[0]
    assert answer == pytest.approx(np.exp(longer - now), abs=1e-8)


@given(any_model, customers(), size(0.01, 3650.0))
def test_every_answer_is_finite_and_in_range(model: OrderModel, customer: Customer, horizon: float) -> None:
    assert np.isfinite(orders.log_likelihood(model, *customer)).all()
    assert 0.0 <= orders.p_alive(model, *customer)[0] <= 1.0
    assert 0.0 <= orders.p_no_order(model, *customer, horizon)[0] <= 1.0
    answer = orders.expected_orders(model, *customer, horizon)[0]
    without_leaving = (model.r + customer[0][0]) * horizon / (model.alpha + customer[2][0])
    assert 0.0 <= answer <= without_leaving * (1 + 1e-9)


@given(any_model, customers(), size(0.01, 3650.0), st.floats(1.0, 10.0))
def test_a_longer_horizon_brings_more_orders_and_less_silence(
    model: OrderModel, customer: Customer, horizon: float, times: float
) -> None:
    sooner, later = (orders.expected_orders(model, *customer, h)[0] for h in (horizon, horizon * times))
    assert later >= sooner * (1 - 1e-7)
    silent, still_silent = (orders.p_no_order(model, *customer, h)[0] for h in (horizon, horizon * times))
    assert still_silent <= silent + 1e-7


@given(any_model, customers(), size(0.01, 3650.0))
def test_some_order_is_no_likelier_than_orders_are_many(model: OrderModel, customer: Customer, horizon: float) -> None:
    """Markov's inequality: P(at least one) <= E[number]."""
    some = 1.0 - orders.p_no_order(model, *customer, horizon)[0]
    assert some <= orders.expected_orders(model, *customer, horizon)[0] * (1 + 1e-7) + 1e-7


@pytest.mark.parametrize("name", ["mbgnbd", "paretonbd"])
def test_a_one_time_buyer_looks_more_gone_the_longer_they_are_silent(name: str) -> None:
    never, T = np.zeros(4), np.array([1.0, 30.0, 300.0, 3000.0])
    alive = orders.p_alive(TYPICAL[name], never, never, T)
    assert (np.diff(alive) < 0).all()
    assert 0.0 < alive[-1] < alive[0] < 1.0


@pytest.mark.parametrize("name", orders.TITLES)
def test_without_leaving_all_three_are_the_negative_binomial_model(name: str) -> None:
    x, t_x, T = np.array([0.0, 3.0]), np.array([0.0, 80.0]), np.array([100.0, 100.0])
    model = NO_LEAVING[name]
    assert orders.p_alive(model, x, t_x, T).tolist() == [1.0, 1.0]
    assert orders.expected_orders(model, x, t_x, T, 30.0) == pytest.approx([0.1, 0.7])  # (r + x) h / (alpha + T)
    assert orders.expected_orders_of_new(model, np.array([100.0])) == pytest.approx([1.0])
    silent = (150.0 / 180.0) ** np.array([0.5, 3.5])
    assert orders.p_no_order(model, x, t_x, T, 30.0) == pytest.approx(silent)
    same = orders.log_likelihood(NO_LEAVING["bgnbd"], x, t_x, T)
    assert orders.log_likelihood(model, x, t_x, T) == pytest.approx(same)


@pytest.mark.parametrize("name", orders.TITLES)
def test_a_new_customer_is_one_with_an_empty_history(name: str) -> None:
    now = np.zeros(3)
    expected = [orders.expected_orders(TYPICAL[name], now, now, now, h)[0] for h in (7.0, 90.0, 700.0)]
    assert orders.expected_orders_of_new(TYPICAL[name], np.array([7.0, 90.0, 700.0])) == pytest.approx(expected)


@pytest.mark.parametrize("name", orders.TITLES)
def test_many_customers_are_answered_as_each_alone(name: str) -> None:
    """Beyond ten thousand rows, equal (x, T) are worked out once; nobody may notice."""
    random = np.random.default_rng(2)
    x = random.integers(0, 30, 12_000).astype(np.float64)
    T = random.integers(30, 700, 12_000).astype(np.float64)
    t_x = np.where(x > 0, np.floor(T * 0.6), 0.0)
    for question in (orders.expected_orders, orders.p_no_order):
        together = question(TYPICAL[name], x, t_x, T, 90.0)
        alone = [question(TYPICAL[name], x[i : i + 1], t_x[i : i + 1], T[i : i + 1], 90.0)[0] for i in range(200)]
        assert together[:200] == pytest.approx(alone, rel=1e-12)


@pytest.mark.parametrize("name", orders.TITLES)
def test_who_is_alive_may_be_told_and_changes_no_bit(name: str) -> None:
    random = np.random.default_rng(3)
    x, T = random.integers(0, 30, 500).astype(np.float64), random.integers(30, 700, 500).astype(np.float64)
    history = x, np.where(x > 0, np.floor(T * 0.6), 0.0), T
    alive = orders.p_alive(TYPICAL[name], *history)
    for question in (orders.expected_orders, orders.p_no_order):
        told, asked = question(TYPICAL[name], *history, 90.0, alive), question(TYPICAL[name], *history, 90.0)
        assert told.tobytes() == asked.tobytes()


@pytest.mark.parametrize("name", orders.TITLES)
def test_a_model_survives_json_with_its_name(name: str) -> None:
    written = json.loads(json.dumps(orders.as_dict(TYPICAL[name])))
    assert written["model"] == name
    assert orders.from_dict(written) == TYPICAL[name]


@pytest.mark.parametrize("data", [{"model": "bgbb", "r": 1.0}, {"r": 1.0}, {"model": "bgnbd", "r": 1.0}])
def test_an_unknown_model_or_a_missing_parameter_is_no_model(data: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError)):
        orders.from_dict(data)
