"""Some customers, and one customer's past, as the files had them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from tests import score_files
from tests.serving.store import drawn_scores
from tests.serving.store.drawn_scores import AUGUST, JULY, JUNE
from tiercast.contract import errors
from tiercast.serving.store import generations, migrations, publish, queries

REASONS = [["silent_long"], []]


def test_customers_come_in_the_order_asked_for_and_the_unknown_are_listed(store: Engine, tmp_path: Path) -> None:
    path = drawn_scores.write(tmp_path / "june.parquet")
    publish.publish(store, path)
    found = queries.lookup(store, ["c-0005", "nobody", "c-0001", "c-0005", "' OR 1=1 --"])
    assert [row["customer_id"] for row in found.rows] == ["c-0005", "c-0001"]
    assert found.unknown == ["nobody", "' OR 1=1 --"]
    assert found.generation.as_of == JUNE
    (row,) = [row for row in drawn_scores.read(path) if row["customer_id"] == "c-0005"]
    assert row.items() <= found.rows[0].items()


def test_a_thousand_customers_are_answered_and_more_refused(store: Engine, tmp_path: Path) -> None:
    publish.publish(store, drawn_scores.write(tmp_path / "june.parquet", 1200))
    ids = [f"c-{number:04d}" for number in range(1201)]
    assert len(queries.lookup(store, ids[:1000]).rows) == 1000 - len(
        range(0, 1000, 7)
    )  # every seventh is spelled longer
    with pytest.raises(errors.BadInput, match="too many"):
        queries.lookup(store, ids)


def test_before_anything_is_published_that_is_said(store: Engine) -> None:
    migrations.prepare(store)
    for query in (generations.current, queries.grid, lambda engine: queries.lookup(engine, ["a"])):
        with pytest.raises(errors.StoreRefused, match="no scores were published"):
            query(store)


def test_history_tells_each_move_and_leaves_out_what_was_rolled_back(store: Engine, tmp_path: Path) -> None:
    """Anna falls from A to B in July; July is taken back; in August she is in C. Ben joins in August."""
    files = {
        "june": (["anna", "carl"], ["A", "D"], [100.0, 5.0], JUNE),
        "july": (["anna", "carl"], ["B", "D"], [90.0, 5.0], JULY),
        "august": (["anna", "ben"], ["C", "F"], [30.0, float("nan")], AUGUST),
    }
    for name, (ids, tier, value, day) in files.items():
        risk = [0.5, float("nan")] if "ben" in ids else [0.25, 0.5]
        path = score_files.write(
            tmp_path / f"{name}.parquet", ids, tier, value, as_of=day, p_churn=risk, reasons=REASONS
        )
        publish.publish(store, path)
        if name == "july":
            fallen = queries.history(store, "anna")
            generations.rollback(store)
    now, was = fallen
    assert (now.tier, now.direction, now.lost, now.reasons, now.value_change) == (
        "B", "down", "loyalty", ["silent_long"], -10.0,
    )  # fmt: skip
    assert (was.tier, was.direction) == ("A", None)

    anna = queries.history(store, "anna")
    assert [(step.generation.as_of, step.tier, step.direction, step.lost) for step in anna] == [
        (AUGUST, "C", "down", "value"),
        (JUNE, "A", None, ""),
    ]
    assert (anna[0].value_change, anna[0].p_churn_change) == (-70.0, 0.25)
    ben, carl = (queries.history(store, name) for name in ("ben", "carl"))
    assert [(step.tier, step.direction, step.value_change) for step in ben] == [("F", "in", None), (None, None, None)]
    assert [(step.tier, step.direction) for step in carl] == [(None, "out"), ("D", None)]
    assert queries.history(store, "nobody") == []
