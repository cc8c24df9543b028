from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.serving.http.scores import bases
from tests.serving.http.scores.conftest import Stored, served
from tests.serving.score_requests import refusal
from tiercast.serving.access import keys
from tiercast.serving.http import metrics
from tiercast.serving.http.scores import store_pool
from tiercast.serving.http.scores.store_pool import StorePool
from tiercast.serving.store import database, generations, migrations, publish

QUESTIONS: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
    ("POST", "/v1/customers/lookup", {"customer_ids": ["ann"]}),
    ("POST", "/v1/customers/history", {"customer_id": "ann"}),
    ("POST", "/v1/customers/search", {}),
    ("POST", "/v1/customers/search", {"format": "csv"}),
    ("GET", "/v1/grid", None),
    ("GET", "/v1/generations", None),
)


@pytest.mark.parametrize(("method", "path", "body"), QUESTIONS)
def test_without_a_store_every_endpoint_responds_how_to_make_one(
    method: str, path: str, body: dict[str, Any] | None
) -> None:
    with served(None) as client:
        error = refusal(client.request(method, path, json=body), 404)
    assert error["code"] == "NoStore"
    assert "tiercast publish" in error["hint"]


@pytest.mark.parametrize("url", [None, ""])
def test_without_a_store_the_service_is_ready(url: str | None) -> None:
    """The command line says "" for none."""
    with served(url) as client:
        assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize(("method", "path", "body"), QUESTIONS)
def test_a_store_that_does_not_respond_gives_a_503_without_its_address(
    method: str, path: str, body: dict[str, Any] | None
) -> None:
    """Nothing listens on port 1."""
    with served("postgresql://tier:5ec2e7@127.0.0.1:1/scores") as client:
        client.app.state.worker.authenticator.keyring = None  # the keys come from the same place
        response = client.request(method, path, json=body)
    error = refusal(response, 503)
    assert (error["code"], response.headers["retry-after"]) == ("StoreUnavailable", "5")
    assert not [part for part in ("5ec2e7", "tier:", "127.0.0.1", "ann") if part in response.text]


def wait_for(note: str, result: StorePool) -> bool:
    """Whether the watch came to say this within ten seconds."""
    deadline = time.monotonic() + 10
    while result.state().note != note and time.monotonic() < deadline:
        time.sleep(0.02)
    return result.state().note == note


def test_a_store_that_comes_later_is_found_and_one_that_goes_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "scores.db"
    result = StorePool(f"sqlite:///{file}", check_seconds=0.05)
    with result.watching():
        assert wait_for("there is no store", result)
        assert not result.state().is_ready
        engine = database.open(str(file), create=True)
        base = bases.write(tmp_path / "june.parquet", bases.ids(20), bases.JUNE, 1)
        publish.publish(engine, str(base.path))
        assert wait_for("generation 1, as of 2024-06-01", result)
        assert result.state().is_ready
        engine.dispose()
        result.engine.dispose()
        file.write_bytes(b"no database at all" * 1000)
        for _ in range(2):  # the watch may have connected again meanwhile, to the file as it was
            result.engine.dispose()
            for journal in ("wal", "shm"):
                Path(f"{file}-{journal}").unlink(missing_ok=True)
        assert wait_for("the file is no SQLite database", result)
        assert result.state().is_ready  # scoring from raw transactions goes on


def test_a_store_with_keys_only_is_ready_and_reports_that_no_scores_were_published(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'scores.db'}"
    keys.add(database.open(url, create=True), "checkout", ["read"])
    result = StorePool(url, check_seconds=0.05)
    with result.watching():
        assert wait_for("no scores were published yet", result)
        assert result.state().is_ready
    with served(url) as client:
        refusal(client.post("/v1/customers/lookup", json={"customer_ids": ["ann"]}), 401)


def test_an_empty_store_gives_503_until_scores_are_published(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'scores.db'}"
    engine = database.open(url, create=True)
    migrations.prepare(engine)
    base = bases.write(tmp_path / "june.parquet", bases.ids(20), bases.JUNE, 1)
    with served(url) as client:
        for method, path, body in QUESTIONS:
            error = refusal(client.request(method, path, json=body), 503)
            assert "no scores were published yet" in error["message"]
        publish.publish(engine, str(base.path))
        assert all(client.request(method, path, json=body).status_code == 200 for method, path, body in QUESTIONS)


def test_metrics_have_the_generation_and_when_it_was_published(client: Any, stored: Stored) -> None:
    store_pool.current().check()
    text = client.get("/metrics").text
    when = generations.current(stored.engine).published_at.timestamp()
    assert next(iter(metrics.GENERATION.collect())).samples[0].value == pytest.approx(when)
    assert "tiercast_generation_id 2.0" in text


def test_a_cursor_of_a_removed_generation_gets_410_and_a_hint_to_start_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'scores.db'}"
    engine = database.open(url, create=True)
    files = [bases.write(tmp_path / f"{k}.parquet", bases.ids(40), bases.JUNE, k).path for k in range(3)]
    publish.publish(engine, str(files[0]), keep=2)
    with served(url) as client:
        page = client.post("/v1/customers/search", json={"limit": 10}).json()
        publish.publish(engine, str(files[1]), keep=2)
        search = {"limit": 10, "cursor": page["next"]}
        second = client.post("/v1/customers/search", json=search).json()
        assert second["generation"] == page["generation"] == 1  # a newer one is served, this listing stays what it was
        publish.publish(engine, str(files[2]), keep=2)
        error = refusal(client.post("/v1/customers/search", json=search), 410)
        assert (error["code"], "without cursor" in error["hint"]) == ("GenerationGone", True)
