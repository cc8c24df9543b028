from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest
from pyarrow import parquet

from tests.serving.http.scores.conftest import Stored
from tests.serving.score_requests import refusal
from tiercast.contract import scores
from tiercast.serving.http.scores import responses

URL = "/v1/customers/lookup"


def test_a_stored_score_is_the_published_row_to_the_last_bit(client: Any, stored: Stored) -> None:
    rows = parquet.read_table(stored.now.path).to_pylist()
    response = client.post(URL, json={"customer_ids": [row["customer_id"] for row in rows]}).json()
    assert len(rows) == 400
    for row, expected in zip(response["scores"], rows, strict=True):
        assert {name: row[name] for name in scores.NAMES} == {**expected, "as_of": expected["as_of"].isoformat()}


def test_customers_come_in_the_order_of_the_request_once_each_and_unknown_ids_are_listed(client: Any) -> None:
    response = client.post(URL, json={"customer_ids": ["c-00009", "nobody", "007", "c-00009", "c-00004"]}).json()
    assert [row["customer_id"] for row in response["scores"]] == ["c-00009", "007", "c-00004"]
    assert response["unknown"] == ["nobody"]


def test_what_looks_like_sql_is_only_an_id(client: Any, stored: Stored) -> None:
    odd = ["o'brien; DROP TABLE scores;--", "%_", "=cmd|' /C calc'!A0"]
    response = client.post(URL, json={"customer_ids": [*odd, "' OR 1=1 --", "%"]}).json()
    assert [row["customer_id"] for row in response["scores"]] == odd
    assert response["unknown"] == ["' OR 1=1 --", "%"]


def test_a_response_names_its_generation_and_its_age(client: Any, stored: Stored) -> None:
    response = client.post(URL, json={"customer_ids": ["007"]}).json()
    published = dt.datetime.fromisoformat(response["published_at"])
    age = (dt.datetime.now(dt.UTC) - published).total_seconds()
    assert (response["as_of"], response["model"], response["currency"], response["generation"]) == (
        "2024-07-01", "tiercast/1/abc", "GBP", 2,
    )  # fmt: skip
    assert age - 5 <= response["age_seconds"] <= age


def test_codes_come_in_words_that_need_no_numbers(client: Any, stored: Stored) -> None:
    english = {"silent_long": "ordered once, three months ago or longer", "one_order_only": "has ordered only once"}
    for lang, words in (("en", english), ("zh", {"silent_long": "仅下过一单，且已过去三个月以上"})):
        response = client.post(URL, json={"customer_ids": stored.now.columns["customer_id"], "lang": lang}).json()
        pairs = {pair for row in response["scores"] for pair in zip(row["reasons"], row["reason_texts"], strict=True)}
        assert {(code, text) for code, text in pairs if code in words} == set(words.items())
    assert {row["action_text"] for row in response["scores"]} == {"本周内由专人致电。", "暂不打扰，不再投入。"}


def test_value_at_risk_and_the_move_stand_beside_the_score(client: Any, stored: Stored) -> None:
    """The file has value and risk; July's letter against June's says the move."""
    people = stored.now.columns["customer_id"]
    before = dict(zip(stored.before.columns["customer_id"], stored.before.columns["tier"], strict=True))
    for row in client.post(URL, json={"customer_ids": people}).json()["scores"]:
        expected = stored.now.row(row["customer_id"])
        at_risk = expected["value"] * expected["p_churn"]
        assert row["value_at_risk"] == (None if math.isnan(at_risk) else pytest.approx(at_risk, rel=1e-15))
        assert row["previous_tier"] == before.get(row["customer_id"])
        assert (row["move"] == "stay") == (row["tier"] == row["previous_tier"])
        assert (row["move"] == "in") == (row["customer_id"] not in before)


def test_the_response_has_the_documented_fields(client: Any) -> None:
    response = client.post(URL, json={"customer_ids": ["007"]}).json()
    assert set(response) == set(responses.LookupResponse.model_fields)
    assert set(response["scores"][0]) == set(responses.StoredScore.model_fields)
    responses.LookupResponse.model_validate(response)


@pytest.mark.parametrize("n", [0, 1_001])
def test_no_ids_and_too_many_ids_are_refused(client: Any, n: int) -> None:
    error = refusal(client.post(URL, json={"customer_ids": [f"x{k}" for k in range(n)]}), 422)
    assert error["fields"][0]["path"] == "customer_ids"


@pytest.mark.parametrize("bad", ["", "a\u0000b", "a\nb", " ", "x" * 129, 7, None, ["a"]])
def test_an_id_that_is_none_is_refused_without_being_quoted(client: Any, bad: object) -> None:
    error = refusal(client.post(URL, json={"customer_ids": ["ann@example.org", bad]}), 422)
    assert error["fields"][0]["path"].startswith("customer_ids.1")
    assert "ann" not in str(error)
