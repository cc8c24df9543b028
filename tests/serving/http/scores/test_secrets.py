"""Ids are in bodies and answers only: never in a log, a counter, the audit file or a refusal."""

from __future__ import annotations

import base64
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from tests import score_files
from tests.serving.http.scores.conftest import served
from tiercast.serving import json_log
from tiercast.serving.http.scores import store_pool
from tiercast.serving.store import database, publish

ANN = "ann.planted@example.org"
LOOKUP, HISTORY, SEARCH = (f"/v1/customers/{name}" for name in ("lookup", "history", "search"))


def in_base64(text: str) -> list[str]:
    """The text as it looks inside of a longer one, for each of the three places where it may begin."""
    return [base64.b64encode(b"x" * k + text.encode())[k + 1 : -4].decode() for k in range(3)]


def good(client: Any) -> list[Any]:
    page = client.post(SEARCH, json={"limit": 1, "sort": "customer_id"})
    return [
        page,
        client.post(LOOKUP, json={"customer_ids": [ANN]}),
        client.post(HISTORY, json={"customer_id": ANN}),
        client.post(SEARCH, json={"limit": 1, "sort": "customer_id", "cursor": page.json()["next"]}),
        client.post(SEARCH, json={"format": "csv"}),
    ]


def bad(client: Any, cursor: str) -> list[Any]:
    """Everything that may be wrong about a request, with the id wherever one can be put."""
    return [
        client.post(LOOKUP, json={"customer_ids": [ANN, ANN + "\n"]}),
        client.post(LOOKUP, json={"customer_ids": ANN}),
        client.post(LOOKUP, json={"customer_ids": [{ANN: ANN}]}),
        client.post(LOOKUP, json={ANN: [ANN]}),
        client.post(LOOKUP, json={"customer_ids": [ANN] * 1001}),
        client.post(LOOKUP, content=f'{{"customer_ids": ["{ANN}"', headers={"Content-Type": "application/json"}),
        client.post(HISTORY, json={"customer_id": ANN, "lang": ANN}),
        client.post(SEARCH, json={"cursor": ANN}),
        client.post(SEARCH, json={"limit": 1, "cursor": cursor}),  # of another sort
        client.post(SEARCH, json={"reasons": [ANN], "sort": ANN, "format": ANN, "moved_since": ANN}),
        client.post(f"{LOOKUP}/{ANN}", json={}),
        client.get(f"/v1/customers/{ANN}"),
        client.get(LOOKUP, params={"customer_id": ANN}),
    ]


def test_a_planted_id_is_found_in_no_log_counter_audit_or_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    audit, url = tmp_path / "audit.log", str(tmp_path / "scores.db")
    monkeypatch.setenv("TIERCAST_AUDIT", str(audit))
    people = [ANN, *(f"c-{k}" for k in range(9))]
    scores = score_files.write(tmp_path / "june.parquet", people, ["B"] * 10, [5.0] * 10)
    publish.publish(database.open(url, create=True), scores)
    with caplog.at_level(logging.DEBUG), served(url) as client:
        responses = good(client)
        assert [response.status_code for response in responses] == [200] * 5
        assert sum(ANN in response.text for response in responses) == 3  # a page, a lookup, a file
        refused = bad(client, responses[0].json()["next"])
        monkeypatch.setattr(store_pool.current(), "query", broken)
        refused.append(client.post(LOOKUP, json={"customer_ids": [ANN]}))
        assert refused[-1].status_code == 500
        assert all(400 <= response.status_code < 500 for response in refused[:-1])
        counters = client.get("/metrics").text
    logged = "\n".join(
        json_log.JsonFormatter().format(record) for record in caplog.records if record.name != "httpx"
    )  # the client
    written = "".join(capfd.readouterr())
    assert json.loads(audit.read_text().splitlines()[1])["customers"] == 1
    for text in (logged, written, counters, audit.read_text(), *(response.text for response in refused)):
        assert not [form for form in ("planted", *in_base64("ann.planted")) if form in text]


def broken(_: object) -> object:
    raise RuntimeError(f"a driver that quotes its parameters: {ANN}")
