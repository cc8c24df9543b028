"""The endpoints of batch jobs. The jobs stay queued: no worker runs here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Engine

from tests.serving.http import app_calls
from tests.serving.http.app_calls import Caller, Response
from tiercast.serving.http import routes
from tiercast.serving.jobs import api_models, claims, job_queue
from tiercast.serving.store import database

JOBS = """
[jobs]
most_queued = 2
[sources.shop]
transactions = "secret-place/orders.parquet"
out = "secret-place/shop-{as_of}.parquet"
publish = true
[sources.fast]
transactions = "secret-place/orders.parquet"
out = "secret-place/fast.parquet"
reasons = "none"
"""
SHOP = {"source": "shop", "as_of": "1998-07-01"}
NOBODY = {"job_id": "job_0000000000000000"}


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Caller:
    file = tmp_path / "jobs.toml"
    file.write_text(JOBS)
    return app_calls.caller(tmp_path, monkeypatch, endpoints=routes.ENDPOINTS, JOBS=str(file))


@pytest.fixture
def store(call: Caller) -> Engine:
    return database.open(str(call.folder / "scores.db"))


def post(call: Caller, path: str, body: dict[str, Any], role: str = "score") -> Response:
    return call("POST", path, json.dumps(body).encode(), role=role)


def refused(response: Response, status: int, code: str) -> dict[str, Any]:
    error: dict[str, Any] = response.json()["error"]
    assert (response.status_code, error["code"]) == (status, code), response.text
    assert error["hint"]
    return error


def test_a_job_is_accepted_looked_up_listed_and_cancelled(call: Caller, store: Engine) -> None:
    accepted = post(call, "/v1/jobs/score", {**SHOP, "options": {"reasons": "none", "publish": False}})
    assert accepted.status_code == 202
    submitted = accepted.json()
    assert submitted == {
        "job_id": submitted["job_id"], "source": "shop", "as_of": "1998-07-01", "state": "queued", "attempts": 0,
        "options": {"reasons": "none", "publish": False}, "progress": 0.0, "submitted_at": submitted["submitted_at"],
        "submitted_by": call.tokens["score"].split("_")[1], "started_at": None, "finished_at": None, "step": None,
        "model": None, "result": None, "generation_id": None, "error": None,
    }  # fmt: skip
    mine = {"job_id": submitted["job_id"]}
    assert post(call, "/v1/jobs/status", mine, "read").json() == submitted
    listed = call("GET", "/v1/jobs", role="read").json()
    assert listed["jobs"] == [submitted]
    assert listed["sources"] == [
        {"name": "fast", "publish": False, "reasons": "none"},
        {"name": "shop", "publish": True, "reasons": "all"},
    ]
    assert post(call, "/v1/jobs/cancel", mine).json()["state"] == "cancelled"
    assert job_queue.get(store, submitted["job_id"]).state == "cancelled"


def test_submitted_and_cancelled_jobs_are_counted_once(call: Caller) -> None:
    def counted() -> list[float]:
        metrics = call("GET", "/metrics", role="read").text
        names = ("tiercast_jobs_submitted_total", 'tiercast_jobs_ended_total{outcome="cancelled"}')
        return [sum(float(line.split()[1]) for line in metrics.splitlines() if line.startswith(name)) for name in names]

    before, nightly = counted(), {**SHOP, "idempotency_key": "nightly"}
    for _ in range(2):
        mine = post(call, "/v1/jobs/score", nightly).json()["job_id"]
    for _ in range(2):
        assert post(call, "/v1/jobs/cancel", {"job_id": mine}).status_code == 200
    refused(post(call, "/v1/jobs/score", {**SHOP, "source": "orders"}), 422, "InvalidRequest")
    assert [now - then for now, then in zip(counted(), before, strict=True)] == [1, 1]


def test_the_same_key_gives_the_same_job_with_200_and_other_work_under_it_is_a_conflict(call: Caller) -> None:
    nightly = {**SHOP, "idempotency_key": "nightly-1998-07-01"}
    first, second = post(call, "/v1/jobs/score", nightly), post(call, "/v1/jobs/score", nightly)
    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json() == second.json()
    refused(post(call, "/v1/jobs/score", {**nightly, "as_of": "1998-07-02"}), 409, "KeyReused")


def test_a_full_queue_refuses_jobs_with_the_seconds_to_wait(call: Caller) -> None:
    for _ in range(2):
        assert post(call, "/v1/jobs/score", SHOP).status_code == 202
    response = post(call, "/v1/jobs/score", SHOP)
    assert refused(response, 429, "QueueFull")["total"] == 2
    assert response.headers["retry-after"] == "30"


def test_an_ended_job_cannot_be_cancelled_and_an_unknown_one_is_404(call: Caller, store: Engine) -> None:
    mine = {"job_id": post(call, "/v1/jobs/score", SHOP).json()["job_id"]}
    taken = claims.claim_next(store, ["shop"], 1)
    assert taken is not None
    error = {"code": "WrongType", "message": "m", "hint": "h", "count": 3, "total": 9, "first": None}
    claims.end(store, taken, "failed", error=error)
    assert post(call, "/v1/jobs/status", mine).json()["error"] == error
    refused(post(call, "/v1/jobs/cancel", mine), 409, "JobOver")
    for path in ("/v1/jobs/status", "/v1/jobs/cancel"):
        refused(post(call, path, NOBODY), 404, "JobUnknown")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({**SHOP, "source": "orders"}, "source"),
        ({**SHOP, "source": "/etc/passwd"}, "source"),
        ({**SHOP, "source": "../shop"}, "source"),
        ({**SHOP, "as_of": "tomorrow"}, "as_of"),
        ({"source": "shop"}, "as_of"),
        ({**SHOP, "transactions": "/etc/passwd"}, "transactions"),
        ({**SHOP, "out": "x.parquet"}, "out"),
        ({**SHOP, "options": {"publish": True}}, "options.publish"),
        ({**SHOP, "options": {"memory": "1GB"}}, "options.memory"),
        ({**SHOP, "idempotency_key": "a b"}, "idempotency_key"),
        ({**SHOP, "idempotency_key": "a" * 65}, "idempotency_key"),
    ],
)
def test_a_request_may_name_a_source_and_a_day_and_no_path(call: Caller, body: dict[str, Any], path: str) -> None:
    response = post(call, "/v1/jobs/score", body)
    assert [field["path"] for field in refused(response, 422, "InvalidRequest")["fields"]] == [path]
    assert "/etc/passwd" not in response.text


def test_submitting_and_cancelling_need_the_role_score_and_reading_any_role(call: Caller) -> None:
    for path, body in (("/v1/jobs/score", SHOP), ("/v1/jobs/cancel", NOBODY)):
        refused(post(call, path, body, "read"), 403, "WrongRole")
    assert post(call, "/v1/jobs/score", SHOP, "admin").status_code == 202
    assert [call("GET", "/v1/jobs", role=role).status_code for role in app_calls.ROLES] == [200, 200, 200]
    assert call("GET", "/v1/jobs").status_code == 401


def test_no_response_has_a_path_of_this_machine(call: Caller) -> None:
    responses = [post(call, "/v1/jobs/score", SHOP), call("GET", "/v1/jobs", role="read")]
    (call.folder / "jobs.toml").write_text("[sources.shop]\nsecret-place = 1\n")
    broken = call("GET", "/v1/jobs", role="read")
    refused(broken, 503, "NotReady")
    texts = [response.text for response in (*responses, broken)]
    assert not [text for text in texts if "secret-place" in text or "jobs.toml" in text]


def test_a_service_without_a_jobs_file_responds_no_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call = app_calls.caller(tmp_path, monkeypatch, endpoints=routes.ENDPOINTS, JOBS="")
    assert "--jobs" in refused(post(call, "/v1/jobs/score", SHOP), 404, "NoJobs")["hint"]
    refused(call("GET", "/v1/jobs", role="read"), 404, "NoJobs")


def test_the_examples_of_the_document_have_the_shape_of_the_responses() -> None:
    assert api_models.JobRequest.model_validate_json(json.dumps(api_models.REQUEST)).source == "shop"
    assert api_models.JobList.model_validate(api_models.LIST).jobs[0].state == "running"
