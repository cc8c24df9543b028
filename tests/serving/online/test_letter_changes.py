"""What would change a letter is what the scorer says on the days to come."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from tests.scored_tables import AS_OF
from tests.serving import score_requests
from tiercast.contract import errors
from tiercast.models import bundle_folder
from tiercast.serving.online import scorer as scorers
from tiercast.serving.online.requests import ScoreRequest
from tiercast.serving.online.scorer import Scorer
from tiercast.tiers import grid

DAYS = 90  # the churn horizon of the bundle
EVERY_MONTH = tuple(f"1998-0{month}-05" for month in range(1, 7))
HISTORIES = {
    "monthly": EVERY_MONTH,
    "slipping": EVERY_MONTH[:4],
    "twice": ("1997-11-05", "1998-01-20"),
    "once": ("1997-02-01",),
    "lately": ("1998-06-01", "1998-06-20", "1998-06-28"),
}


@pytest.fixture(scope="module")
def scorer(served: Path) -> Scorer:
    return Scorer(bundle_folder.load(served))


def body(days: tuple[str, ...], as_of: dt.date = AS_OF, amount: float = 40.0) -> dict[str, Any]:
    lines = [score_requests.purchase(day, amount) for day in days]
    return score_requests.score_body(score_requests.customer("a", *lines), as_of=as_of.isoformat())


def score(scorer: Scorer, request: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = scorer.score(ScoreRequest.model_validate(request | {"as_of": AS_OF}))["scores"][0]
    return row


def letter(scorer: Scorer, days: tuple[str, ...], as_of: dt.date) -> str:
    """The letter on a later day, from the lines themselves."""
    request = ScoreRequest.model_validate(body(days) | {"as_of": as_of})
    tier: str = scorer.score(request)["scores"][0]["tier"]
    return tier


@pytest.mark.parametrize("days", HISTORIES.values(), ids=HISTORIES)
def test_the_letter_changes_on_the_day_that_is_said(scorer: Scorer, days: tuple[str, ...]) -> None:
    row = score(scorer, body(days) | {"letter_change": True})
    change, today = row["letter_change"], row["tier"]
    after = AS_OF + dt.timedelta(change["days"])
    if change["by"] == "order":
        with_order = (*days, (after - dt.timedelta(1)).isoformat())
        assert letter(scorer, with_order, after) == change["tier"]
        assert grid.TIERS.index(change["tier"]) < grid.TIERS.index(today)
        if change["days"] < DAYS:
            too_late = after + dt.timedelta(1)
            assert letter(scorer, (*days, after.isoformat()), too_late) != change["tier"]
    elif change["by"] == "silence":
        assert letter(scorer, days, after) == change["tier"] != today
        assert letter(scorer, days, after - dt.timedelta(1)) == today
    else:
        assert change == {"by": None, "days": DAYS, "tier": None}
        assert {letter(scorer, days, AS_OF + dt.timedelta(day)) for day in (0, 45, DAYS)} == {today}


def test_the_histories_have_changes_of_several_kinds(scorer: Scorer) -> None:
    kinds = {score(scorer, body(days) | {"letter_change": True})["letter_change"]["by"] for days in HISTORIES.values()}
    assert {"order", "silence"} <= kinds


def test_rows_of_later_days_change_nothing(scorer: Scorer) -> None:
    known = body(HISTORIES["slipping"]) | {"letter_change": True}
    beside = body((*HISTORIES["slipping"], "1998-07-01", "1998-12-24")) | {"letter_change": True}
    assert score(scorer, known) == score(scorer, beside)


def test_without_the_field_a_score_has_none_and_nothing_else_changes(scorer: Scorer) -> None:
    plain, asked = body(EVERY_MONTH), body(EVERY_MONTH) | {"letter_change": True}
    more = score(scorer, asked)
    assert {name: more[name] for name in more if not name.startswith("letter_change")} == score(scorer, plain)


def test_prospects_have_no_letter_to_change(scorer: Scorer) -> None:
    row = score(scorer, body(()) | {"letter_change": True})
    assert (row["letter_change"], row["letter_change_text"]) == (None, None)


def test_it_is_said_in_the_requested_language(scorer: Scorer) -> None:
    row = score(scorer, body(HISTORIES["monthly"]) | {"letter_change": True, "lang": "zh"})
    assert "天" in row["letter_change_text"]


@pytest.mark.parametrize("day", ["yesterday", "1998-02-30", "1998-07-01T25:00", ""])
def test_an_unreadable_time_is_refused_as_without_the_field(scorer: Scorer, day: str) -> None:
    for more in ({}, {"letter_change": True}):
        with pytest.raises(errors.WrongType, match=r"customers\.0\.transactions\.1"):
            score(scorer, body(("1998-05-05", day)) | more)


@pytest.mark.parametrize("day", ["0001-01-01", " 1998-05-05T23:30:00.123456789-05:00 ", "1998-05-05 10:00+05"])
def test_every_time_that_can_be_read_can_be_shifted(scorer: Scorer, day: str) -> None:
    assert score(scorer, body((day,)) | {"letter_change": True})["letter_change"]


def test_a_large_request_is_refused(scorer: Scorer) -> None:
    lines = [score_requests.purchase("1998-01-05")]
    customers = [score_requests.customer(str(number), *lines) for number in range(17)]
    request = score_requests.score_body(*customers) | {"as_of": AS_OF, "letter_change": True}
    with pytest.raises(errors.BadInput, match="at most 16 customers"):
        scorer.score(ScoreRequest.model_validate(request))


def test_it_is_scored_by_a_thread(scorer: Scorer) -> None:
    scorers.load(scorer.bundle)
    request = ScoreRequest.model_validate(body(EVERY_MONTH) | {"as_of": AS_OF})
    scorer.score(request)
    assert scorer.is_quick(request)
    assert not scorer.is_quick(request.model_copy(update={"letter_change": True}))
