from __future__ import annotations

import datetime as dt
import re

from tiercast.serving.http import metrics
from tiercast.serving.jobs.job import BatchJob

NOON = dt.datetime(2024, 6, 1, 12, tzinfo=dt.UTC)


def total(text: str, name: str, **labels: str) -> float:
    wanted = ",".join(f'{key}="{value}"' for key, value in labels.items())
    result = re.search(rf"^{name}{{{re.escape(wanted)}}} (\S+)$", text, flags=re.MULTILINE)
    return float(result[1]) if result else 0.0


def after(before: str, name: str, **labels: str) -> float:
    return total(metrics.text().decode(), name, **labels) - total(before, name, **labels)


def test_scores_are_counted_up_to_each_bound_and_prospects_have_none() -> None:
    before = metrics.text().decode()
    metrics.count_scores(["A", "A", "F"], [0.1, 0.55, None], [3.0, 2e6, None])
    assert [after(before, "tiercast_customers_scored_total", tier=tier) for tier in "AF"] == [2, 1]
    risks = [after(before, "tiercast_scored_p_churn_total", le=le) for le in ("0.1", "0.5", "0.6", "1.0", "+Inf")]
    assert risks == [1, 1, 2, 2, 2]
    values = [after(before, "tiercast_scored_value_total", le=le) for le in ("1.0", "3.0", "100000.0", "+Inf")]
    assert values == [0, 1, 1, 2]


def test_a_model_that_was_exchanged_no_longer_counts_as_serving() -> None:
    metrics.set_served_model("tiercast/1")
    metrics.set_served_model("tiercast/2", previous="tiercast/1")
    text = metrics.text().decode()
    assert total(text, "tiercast_model_info", model="tiercast/1") == 0
    assert total(text, "tiercast_model_info", model="tiercast/2") == 1


def test_a_job_that_ran_is_counted_by_its_outcome_and_by_how_long_its_last_try_took() -> None:
    before = metrics.text().decode()
    plain = dict.fromkeys(BatchJob._fields)
    for state, seconds in (("done", 4), ("done", 90), ("failed", 0.5)):
        finished = NOON + dt.timedelta(seconds=seconds)
        metrics.job_ended(BatchJob(**(plain | {"state": state, "started_at": NOON, "finished_at": finished})))  # type: ignore[arg-type]
    ended = [after(before, "tiercast_jobs_ended_total", outcome=each) for each in ("done", "failed", "cancelled")]
    assert ended == [2, 1, 0]
    name = "tiercast_job_seconds_bucket"
    assert [after(before, name, le=le, outcome="done") for le in ("1.0", "5.0", "60.0", "300.0")] == [0, 1, 1, 2]
    assert after(before, "tiercast_job_seconds_sum", outcome="done") == 94
