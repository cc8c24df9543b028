from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest

from tests.serving.score_requests import JSON, customer, purchase, refusal, score_body
from tiercast.features.engines.arrays import Program, Results
from tiercast.features.engines.arrays.steps import Evaluation

WITHOUT_QUANTITY = {"ordered_at": "1998-01-03", "amount": 1}


@pytest.mark.parametrize("quantity", [1e300, -1e11])
def test_a_quantity_that_cannot_be_added_exactly_is_refused_by_name(client: Any, quantity: float) -> None:
    error = refusal(client.post("/v1/score", json=score_body(customer("a", purchase(quantity=quantity)))), 422)
    assert [field["path"] for field in error["fields"]] == ["customers.0.transactions.0.quantity"]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"as_of": None}, "as_of"),
        ({"as_of": 10000}, "as_of"),
        ({"lang": "fr"}, "lang"),
        ({"horizon": 90}, "horizon"),
        ({"customers": []}, "customers"),
        ({"customers": [customer("a"), customer("a")]}, "customers"),
        ({"customers": [customer(str(n)) for n in range(1001)]}, "customers"),
        ({"customers": [customer("")]}, "customers.0.customer_id"),
        ({"customers": [customer("   ")]}, "customers.0.customer_id"),
        ({"customers": [customer("a\n")]}, "customers.0.customer_id"),
        ({"customers": [customer("x" * 129)]}, "customers.0.customer_id"),
        ({"customers": [{"customer_id": 7, "transactions": []}]}, "customers.0.customer_id"),
        ({"customers": [customer("a", purchase(amount="12"))]}, "customers.0.transactions.0.amount"),
        ({"customers": [customer("a", purchase(amount=True))]}, "customers.0.transactions.0.amount"),
        ({"customers": [customer("a", purchase(amount=None))]}, "customers.0.transactions.0.amount"),
        ({"customers": [customer("a", purchase(amount=1e11))]}, "customers.0.transactions.0"),
        ({"customers": [customer("a", purchase(price=1))]}, "customers.0.transactions.0.price"),
        ({"customers": [customer("b"), customer("a", purchase(), purchase("31/1/98"))]}, "customers.1.transactions.1"),
        ({"customers": [customer("a", purchase(), purchase("1998-01-03T10:00:00Z"))]}, "customers.0.transactions.0"),
        ({"customers": [customer("a", purchase(margin=1), purchase())]}, "customers.0.transactions.1.margin"),
        ({"customers": [customer("a", WITHOUT_QUANTITY)]}, "customers.0.transactions.0.quantity"),
        ({"customers": [{**customer("a"), "joined_on": "soon"}]}, "customers.0"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_refused_with_its_wrong_place(client: Any, change: dict[str, Any], path: str) -> None:
    error = refusal(client.post("/v1/score", json={**score_body(customer("a")), **change}), 422)
    assert error["fields"][0]["path"] == path


@pytest.mark.parametrize(
    "change",
    [{"as_of": "1998-06-30"}, {"customers": [customer("a", purchase(margin=1))]}],
    ids=["a day before the bundle's own", "margins for a bundle that learned amounts"],
)
def test_requests_outside_the_bundles_scope_are_refused(client: Any, change: dict[str, Any]) -> None:
    error = refusal(client.post("/v1/score", json={**score_body(customer("a", purchase())), **change}), 422)
    assert error["code"] == "BundleRefused"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_no_amount_may_be_infinite_or_no_number(client: Any, number: str) -> None:
    body = json.dumps(score_body(customer("a", purchase(amount=123456)))).replace("123456", number)
    response = client.post("/v1/score", content=body, headers=JSON)
    assert response.status_code in (400, 422)
    refusal(response, response.status_code)


def test_what_is_not_json_is_a_400(client: Any) -> None:
    assert refusal(client.post("/v1/score", content=b'{"as_of": ', headers=JSON), 400)["code"] == "NotJson"
    assert refusal(client.post("/v1/score", content=b"", headers=JSON), 400)["code"] == "NotJson"


@pytest.mark.parametrize("kind", ["application/vnd.bentoml+pickle", "text/plain", "multipart/form-data; boundary=x"])
def test_a_body_of_another_kind_is_not_opened(client: Any, kind: str) -> None:
    """The bytes would run code if anything unpickled them."""
    hostile = b"cos\nsystem\n(S'exit 1'\ntR."
    refusal(client.post("/v1/score", content=hostile, headers={"Content-Type": kind}), 415)


def test_a_body_over_ten_megabytes_is_refused_with_and_without_its_length(client: Any) -> None:
    large = b" " * (10 * 1024 * 1024 + 1)
    refusal(client.post("/v1/score", content=large, headers=JSON), 413)
    refusal(client.post("/v1/score", content=iter([large[:-9], large[:9]]), headers=JSON), 413)


def test_unknown_addresses_and_methods_have_the_same_shape(client: Any) -> None:
    refusal(client.get("/v1/customers/c-00917"), 404)
    refusal(client.post("/static_content/main.js", content=b""), 404)
    response = client.get("/v1/score")
    refusal(response, 405)
    assert response.headers["allow"] == "POST"


def test_a_fault_inside_is_a_500_without_details(client: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A program that has lost a table: the engine fails in the middle of a request that is right."""
    with caplog.at_level(logging.INFO), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Program, "run", lambda program, tables: Results(program._relations, Evaluation({})))
        error = refusal(client.post("/v1/score", json=score_body(customer("c-00917", purchase()))), 500)
    assert error["code"] == "InternalError"
    assert "fields" not in error
    assert "c-00917" not in caplog.text
    assert client.post("/v1/score", json=score_body(customer("c-00917", purchase()))).status_code == 200


def test_nothing_a_caller_sends_stands_in_the_log_or_in_the_counters(
    client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("bentoml").propagate = True
    with caplog.at_level(logging.DEBUG):
        client.get("/v1/customers/c-00917?mail=ann@example.org")
        client.post("/v1/score", json=score_body(customer("c-00917", purchase(amount="ann@example.org"))))
        client.post("/v1/score", json=score_body(customer("c-00917", purchase("c-00917"))))
        client.post("/v1/score", json=score_body(customer("c-00917", purchase())))
        client.request("ANN", "/v1/score")
    lines = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    logged = "\n".join(f"{record.getMessage()} {record.exc_text or ''} {record.exc_info or ''}" for record in lines)
    assert "POST /v1/score 422" in logged
    counted = client.get("/metrics").text
    for text in (logged, counted):
        assert not re.search("c-00917|ann@example|ANN", text)


def test_a_hundred_odd_addresses_add_one_line_to_the_counters(client: Any) -> None:
    client.get("/odd/first")
    client.get("/metrics")
    before = client.get("/metrics").text
    for number in range(100):
        client.get(f"/odd/{number}")
    text = client.get("/metrics").text
    assert text.count('route="unknown"') == before.count('route="unknown"')
    assert re.findall(r'route="([^"]*)"', text) == re.findall(r'route="([^"]*)"', before)
