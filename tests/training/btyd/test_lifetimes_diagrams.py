from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot

from tiercast.models import bgnbd, orders
from tiercast.models.bgnbd import BgNbd
from tiercast.models.mbgnbd import MbgNbd
from tiercast.models.orders import OrderModel
from tiercast.models.paretonbd import ParetoNbd
from tiercast.training.btyd import lifetimes_bridge

PAPER = BgNbd(r=0.2425945, alpha=4.4136019 * 7, a=0.7929199, b=2.4258881)  # the paper's fit, in days


def test_the_alive_diagram_of_lifetimes_shows_our_p_alive() -> None:
    axes = lifetimes_bridge.diagrams(PAPER, 30.0, most_orders=4, oldest_days=70.0)["alive"].axes[0]
    shown = np.asarray(axes.images[0].get_array())
    assert shown.shape == (11, 5)
    ours = bgnbd.p_alive(PAPER, np.array([3.0]), np.array([21.0]), np.array([70.0]))
    np.testing.assert_allclose(shown[3, 3], ours[0], rtol=1e-9)


@pytest.mark.parametrize("model", [MbgNbd(0.5, 43.0, 0.9, 1.6), ParetoNbd(0.55, 74.0, 0.6, 82.0)], ids=orders.name)
def test_the_other_models_have_their_own_diagram(model: OrderModel) -> None:
    drawn = lifetimes_bridge.diagrams(model, 30.0, most_orders=4, oldest_days=70.0)
    shown = np.asarray(drawn["alive"].axes[0].images[0].get_array())
    ours = orders.p_alive(model, np.array([3.0]), np.array([21.0]), np.array([70.0]))
    np.testing.assert_allclose(shown[3, 3], ours[0], rtol=1e-9)
    shown = np.asarray(drawn["orders"].axes[0].images[0].get_array())
    ours = orders.expected_orders(model, np.array([3.0]), np.array([21.0]), np.array([70.0]), 30.0)
    np.testing.assert_allclose(shown[3, 3], ours[0], rtol=1e-9)


def test_drawing_leaves_nothing_open_in_pyplot() -> None:
    before = pyplot.get_fignums()
    lifetimes_bridge.diagrams(PAPER, 30.0, most_orders=2, oldest_days=21.0)
    assert pyplot.get_fignums() == before
