"""What is judged once is what the features and the findings are asked of."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models import bundle_folder
from serving.service import arrivals, judging, plans
from serving.service.online import Online
from serving.service.requests import ScoreRequest
from tests.serving.asking import asked, customer, purchase

AS_OF = dt.date(1998, 7, 1)
VISIT = {"occurred_at": "1998-01-01", "kind": "visit"}
PLAIN, UTC, LATE, UNREADABLE = "1998-01-01", "1998-01-01T10:00:00Z", "1999-01-01", "soon"


@pytest.fixture(scope="module")
def opened(served: Path) -> Iterator[Online]:
    ours = Online(bundle_folder.load(served))
    yield ours
    ours.close()


def request(*times: str) -> ScoreRequest:
    person = {**customer("a", *map(purchase, times)), "joined_on": "1998-01-01", "interactions": [VISIT]}
    return ScoreRequest.model_validate_json(json.dumps(asked(person, customer("b"))))


@pytest.mark.parametrize("has_margin", [False, True])
def test_what_is_laid_has_the_types_that_the_features_were_planned_for(opened: Online, has_margin: bool) -> None:
    plan = plans.of(opened.bundle.spec, AS_OF, has_margin)
    with opened.desks.borrow() as desk:
        desk.lay(arrivals.arrange([request(PLAIN)], opened.bundle.spec))
        laid = plans.lay_judged(desk, plan, plans.RULES)
    assert {table: rows.schema.types for table, rows in laid.items()} == {
        table: schema.types for table, schema in plan.schemas.items()
    }
    assert [rows.num_rows for rows in laid.values()] == [1, 2, 1]


@pytest.mark.parametrize(
    ("times", "is_plain"),
    [([PLAIN], True), ([PLAIN, PLAIN], True), ([UTC, UTC], True), ([PLAIN, UTC], False), ([PLAIN, LATE], False),
     ([PLAIN, UNREADABLE], False)],
)  # fmt: skip
def test_only_where_every_row_is_plain_nobody_asks_for_findings(
    opened: Online, times: list[str], is_plain: bool
) -> None:
    """The findings, asked all the same, are the second way: one line without a reason, nothing unread, one zone."""
    plan = plans.of(opened.bundle.spec, AS_OF, has_margin=False)
    with opened.desks.borrow() as desk:
        desk.lay(arrivals.arrange([request(*times)], opened.bundle.spec))
        laid = plans.lay_judged(desk, plan, plans.RULES)
        found: list[dict[str, Any]] = desk.rows(plan.findings["transactions"])
    nothing = [(None, 0, True)]
    assert ([(row["reason"], row["unread"], row["local"] in (0, row["timed"])) for row in found] == nothing) == is_plain
    assert judging.is_plain(laid["transactions"], "ordered_at") == is_plain
