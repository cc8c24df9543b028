"""A reason claims only what the tables hold."""

from __future__ import annotations

import numpy as np
import pytest

from tests.chosen_reasons import one

OVERALL = ["overall_loyal"]
CONTACTED = {"n_orders": 5.0, "n_campaign": 3.0, "campaign_last_days": 40.0}


@pytest.mark.parametrize(
    ("silence_days", "codes"),
    [
        (39.0, ["campaign_response"]),
        (40.0, OVERALL),  # on the day of the contact: before or after it is not known
        (41.0, OVERALL),  # contacted, and silent since
    ],
)
def test_a_campaign_contact_is_a_response_only_with_an_order_after_it(silence_days: float, codes: list[str]) -> None:
    assert one({"campaign_last_days": -1.0}, {**CONTACTED, "silence_days": silence_days}, 0.1) == codes


def test_an_order_long_after_a_campaign_contact_is_no_response() -> None:
    late = {**CONTACTED, "campaign_last_days": 91.0, "silence_days": 60.0}
    assert one({"n_campaign": -1.0}, late, 0.1) == OVERALL


def test_a_survey_is_feedback_only_if_it_was_answered_with_a_score() -> None:
    assert one({"n_survey": -1.0}, {"n_orders": 5.0, "n_survey": 1.0, "survey_score_mean": np.nan}, 0.1) == OVERALL
    assert one({"n_survey": -1.0}, {"n_orders": 5.0, "n_survey": 1.0, "survey_score_mean": 0.0}, 0.1) == [
        "gave_feedback"
    ]
    assert one({"n_review": -1.0}, {"n_orders": 5.0, "n_review": 1.0}, 0.1) == ["gave_feedback"]
