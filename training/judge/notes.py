"""The notes of a training run: which choices were made, and what the data cannot show."""

from __future__ import annotations

import datetime as dt

from tiercast.contract.periods import YEAR_DAYS
from tiercast.models import orders
from tiercast.training.btyd.fit_both import Fits
from tiercast.training.fit.procedure import Procedure
from tiercast.training.settings import Horizons
from tiercast.training.windows.sampling import Sample


def describe_run(
    sample: Sample,
    final: Procedure,
    fits: Fits,
    span: tuple[dt.date, dt.date],
    horizons: Horizons,
) -> tuple[str, ...]:
    """One sentence per note, the most important first."""
    is_short = (span[1] - span[0]).days < YEAR_DAYS + horizons.value_days
    candidates = [
        sample.note,
        f"Churn: {final.churn.note}",
        f"Value: {final.value.note}",
        final.orders.note,
        f"{orders.title(fits.orders.params)}: {fits.orders.note}",
        f"Gamma-Gamma: {fits.money.note}",
        fits.independence.warning and f"Gamma-Gamma: {fits.independence.warning}.",
        is_short and "Less than a full year before the window is known: yearly seasons cannot be seen.",
        not final.value.unseen
        and "No value window has closed: intervals come from the closed form, not from outcomes.",
    ]
    return tuple(note for note in candidates if isinstance(note, str) and note)
