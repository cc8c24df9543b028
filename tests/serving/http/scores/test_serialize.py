from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from tests.serving.http.scores.conftest import Stored
from tiercast.serving.http.scores import responses
from tiercast.tiers import grid, moves

HISTORY = "/v1/customers/history"


def test_a_history_has_the_newest_generation_first(client: Any, stored: Stored) -> None:
    for customer_id in stored.now.columns["customer_id"][:40]:
        now, was = stored.now.row(customer_id), stored.before.row(customer_id)
        newest, oldest = client.post(HISTORY, json={"customer_id": customer_id}).json()["steps"]
        assert (newest["generation"], newest["as_of"], oldest["as_of"]) == (2, "2024-07-01", "2024-06-01")
        assert (newest["tier"], oldest["tier"]) == (now["tier"], was["tier"])
        assert (newest["reasons"], oldest["reasons"]) == (now["reasons"], was["reasons"])
        assert newest["new_reasons"] == [code for code in now["reasons"] if code not in was["reasons"]]
        assert newest["direction"] == moves.direction_of(was["tier"], now["tier"])
        assert (oldest["direction"], oldest["value_change"], oldest["new_reasons"]) == (None, None, [])
        if "F" not in (now["tier"], was["tier"]):
            assert newest["value_change"] == pytest.approx(now["value"] - was["value"])
            assert newest["p_churn_change"] == pytest.approx(now["p_churn"] - was["p_churn"])


def test_a_generation_without_the_customer_is_a_step_without_numbers(client: Any, stored: Stored) -> None:
    came, went = stored.now.columns["customer_id"][-1], stored.before.columns["customer_id"][-1]
    newest, oldest = client.post(HISTORY, json={"customer_id": came}).json()["steps"]
    assert (newest["direction"], oldest["tier"], oldest["reason_texts"]) == ("in", None, [])
    assert newest["new_reasons"] == []  # there is nothing to compare with
    newest, oldest = client.post(HISTORY, json={"customer_id": went}).json()["steps"]
    assert (newest["direction"], newest["tier"], newest["value"], newest["value_change"]) == ("out", None, None, None)
    assert oldest["tier"] == stored.before.row(went)["tier"]


def test_the_history_of_an_unknown_customer_has_a_generation_and_no_steps(client: Any) -> None:
    response = client.post(HISTORY, json={"customer_id": "nobody"}).json()
    assert (response["steps"], response["generation"], response["as_of"]) == ([], 2, "2024-07-01")


def test_the_grid_adds_up(client: Any, stored: Stored) -> None:
    result = client.get("/v1/grid").json()
    rows = list(zip(*(stored.now.columns[name] for name in ("tier", "value", "p_churn")), strict=True))
    for row in result["tiers"]:
        mine = [(value, risk) for tier, value, risk in rows if tier == row["tier"]]
        assert row["customers"] == len(mine)
        assert row["share"] == pytest.approx(len(mine) / 400)
        if row["tier"] == "F":
            assert row["value_total"] is row["value_at_risk"] is row["p_churn_mean"] is None
            continue
        assert row["value_total"] == pytest.approx(sum(value for value, _ in mine))
        assert row["value_at_risk"] == pytest.approx(sum(value * risk for value, risk in mine))
        assert row["p_churn_mean"] == pytest.approx(sum(risk for _, risk in mine) / len(mine))
    assert [row["tier"] for row in result["tiers"]] == list(grid.TIERS)
    assert (result["customers"], result["borderline"]) == (400, sum(stored.now.columns["is_borderline"]))


def test_the_grids_moves_are_those_of_its_customers(client: Any, stored: Stored) -> None:
    """400 in June, 9 of whom left, and 400 in July, 9 of whom are new."""
    moves = client.get("/v1/grid").json()["moves"]
    before = dict(zip(stored.before.columns["customer_id"], stored.before.columns["tier"], strict=True))
    now = dict(zip(stored.now.columns["customer_id"], stored.now.columns["tier"], strict=True))
    for pair in moves["matrix"]:
        mine = [
            one for one in before.keys() | now.keys() if (before.get(one), now.get(one)) == (pair["old"], pair["new"])
        ]
        assert pair["customers"] == len(mine)
    assert (moves["counts"]["in"], moves["counts"]["out"], moves["since_generation"]) == (9, 9, 1)
    assert sum(moves["counts"].values()) == 409 == sum(pair["customers"] for pair in moves["matrix"])


def test_the_generations_are_listed_newest_first(client: Any) -> None:
    result = client.get("/v1/generations").json()
    assert [(each["generation"], each["as_of"], each["is_current"]) for each in result["generations"]] == [
        (2, "2024-07-01", True),
        (1, "2024-06-01", False),
    ]
    assert [each["came_after"] for each in result["generations"]] == [1, None]


def test_responses_have_the_documented_fields(client: Any) -> None:
    given: dict[type[BaseModel], Any] = {
        responses.HistoryResponse: client.post(HISTORY, json={"customer_id": "007"}).json(),
        responses.GridResponse: client.get("/v1/grid").json(),
        responses.GenerationsResponse: client.get("/v1/generations").json(),
    }
    for model, response in given.items():
        assert set(response) == set(model.model_fields)
        model.model_validate(response)
    assert set(given[responses.HistoryResponse]["steps"][0]) == set(responses.Step.model_fields)
