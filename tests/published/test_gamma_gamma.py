"""Gamma-Gamma against Fader & Hardie (2013), the CDNOW sample: 946 repeat buyers."""

from __future__ import annotations

import numpy as np
import pytest

from tests.published import cdnow
from tiercast.models import gamma_gamma
from tiercast.models.gamma_gamma import GammaGamma
from tiercast.training.btyd import fit_gamma_gamma

PUBLISHED = GammaGamma(p=6.25, q=3.74, v=15.44)


def test_fit_is_fader_hardies() -> None:
    data = cdnow.sample()
    fit = fit_gamma_gamma.fit(data.x, data.m)
    assert fit.n_customers == 946
    assert fit.log_likelihood == pytest.approx(-4055.9177, abs=1e-3)
    assert fit.params == pytest.approx(PUBLISHED, abs=0.006)


def test_the_first_ten_customers_are_worth_what_the_note_says() -> None:
    data = cdnow.sample()
    fit = fit_gamma_gamma.fit(data.x, data.m)
    expected = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    assert gamma_gamma.expected_order_value(fit.params, data.x[:10], data.m[:10]) == pytest.approx(expected, abs=0.01)


def test_log_likelihood_is_the_textbook_sum_where_that_does_not_overflow() -> None:
    from scipy.special import gammaln

    data = cdnow.sample()
    some = data.x > 0
    x, m = data.x[some], data.m[some]
    p, q, v = PUBLISHED
    textbook = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
    textbook += (p * x - 1) * np.log(m) + p * x * np.log(x) - (p * x + q) * np.log(x * m + v)
    assert gamma_gamma.log_likelihood(PUBLISHED, x, m) == pytest.approx(textbook, rel=1e-10)
