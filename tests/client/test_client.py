"""The client against a service as it runs in production, and against servers that do what services should not."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pyarrow import csv, parquet

import tiercast
from tests import scored_tables
from tests.scored_tables import AS_OF
from tests.serving.test_launch import free_port, wait_until_ready
from tiercast import Client, ServiceError
from tiercast.contract import errors
from tiercast.models import bundle_folder
from tiercast.serving.access import keys
from tiercast.serving.store import database, publish
from tiercast.training.train import Trained

ROOT = Path(__file__).parents[2]
JOBS = '[sources.shop]\ntransactions = "orders.parquet"\nout = "shop-{as_of}.parquet"\n'
PERSON = {"customer_id": "c-1", "transactions": [{"ordered_at": "1998-03-01", "amount": 20.0, "quantity": 1}]}


class Shop(NamedTuple):
    folder: Path
    port: int
    token: str

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def shop(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A published score file, a jobs file, one key, and the service over them."""
    folder, port = tmp_path_factory.mktemp("shop"), free_port()
    bundle_folder.save(trained.bundle, folder / "bundle")
    orders = scored_tables.write(folder, scored_tables.purchases())
    scored_tables.score(trained.bundle, orders, folder / "scores.parquet")
    store = database.open(f"sqlite:///{folder / 'scores.db'}", create=True)
    token = keys.add(store, "client", ["read", "score", "admin"])[1].text()
    publish.publish(store, str(folder / "scores.parquet"))
    (folder / "jobs.toml").write_text(JOBS)
    options = ("--bundle", "bundle", "--store", "scores.db", "--jobs", "jobs.toml", "--port", str(port))
    around = {name: value for name, value in os.environ.items() if not name.startswith("TIERCAST_")}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "tiercast.cli", "serve", *options], cwd=folder, stdout=log, stderr=log,
            env={**around, "PYTHONPATH": str(ROOT)}, text=True,
        )  # fmt: skip
        try:
            wait_until_ready(server, f"http://127.0.0.1:{port}")
            yield Shop(folder, port, token)
        finally:
            server.terminate()
            server.wait(60)


@pytest.fixture
def client(shop: Shop) -> Iterator[Client]:
    with Client(shop.address, shop.token) as opened:
        yield opened


# --- a real service


@pytest.mark.slow
def test_every_response_is_typed(shop: Shop, client: Client) -> None:
    published = parquet.read_table(shop.folder / "scores.parquet")
    ids = published["customer_id"].to_pylist()
    assert client.score([PERSON], "1998-07-01").scores[0].model_dump()["customer_id"] == "c-1"
    result = client.lookup([ids[1], "nobody", ids[0]], lang="zh")
    assert [score.model_dump()["customer_id"] for score in result.scores] == [ids[1], ids[0]]
    assert (result.unknown, result.as_of) == (["nobody"], AS_OF)
    assert client.history(ids[0]).steps[0].tier == published["tier"][0].as_py()
    assert sum(tier.customers for tier in client.grid().tiers) == len(ids)
    assert [each.is_current for each in client.generations().generations] == [True]
    assert client.model().model == result.model


@pytest.mark.slow
def test_a_search_goes_through_all_pages(shop: Shop, client: Client) -> None:
    ids = parquet.read_table(shop.folder / "scores.parquet")["customer_id"].to_pylist()
    assert [one.customer_id for one in client.search(sort="customer_id", limit=7)] == sorted(ids)


@pytest.mark.slow
def test_an_export_is_the_whole_file_or_none(shop: Shop, client: Client, tmp_path: Path) -> None:
    published = parquet.read_table(shop.folder / "scores.parquet").sort_by("customer_id")
    exported = parquet.read_table(client.export(tmp_path / "all.parquet"))
    assert exported.select(published.column_names).equals(published)
    assert csv.read_csv(client.export(str(tmp_path / "all.csv"))).num_rows == published.num_rows
    with pytest.raises(errors.CannotWrite):
        client.export(tmp_path / "all.xlsx")
    with pytest.raises(ServiceError) as refused:
        client.export(tmp_path / "wrong.csv", tiers=["Z"])
    assert refused.value.status == 422
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.csv", "all.parquet"]


@pytest.mark.slow
def test_a_job_is_submitted_once_and_waited_for(client: Client) -> None:
    first = client.submit("shop", AS_OF, idempotency_key="nightly", reasons="none")
    assert client.submit("shop", AS_OF, idempotency_key="nightly", reasons="none").job_id == first.job_id
    done = client.wait(first.job_id, seconds=120, every=0.2)
    assert (done.state, done.error) == ("done", None)
    assert [job.job_id for job in client.jobs().jobs] == [first.job_id]
    with pytest.raises(ServiceError) as refused:
        client.cancel(first.job_id)
    assert refused.value.status == 409


@pytest.mark.slow
def test_a_reload_of_the_same_bundle_changes_nothing(client: Client) -> None:
    assert (client.reload().is_new, client.reload().model) == (False, client.model().model)


@pytest.mark.slow
def test_a_refusal_has_message_and_fields(shop: Shop, client: Client) -> None:
    with pytest.raises(ServiceError, match="422 InvalidRequest") as refused:
        client.score([{"customer_id": "c-1"}], "1998-07-01")
    assert refused.value.fields == [("customers.0.transactions", "Field required")]
    assert refused.value.request_id
    with pytest.raises(ServiceError) as refused, Client(shop.address, "tck_no_such") as stranger:
        stranger.grid()
    assert (refused.value.status, refused.value.code) == (401, "WrongKey")


# --- scripted servers


class ScriptedHandler(http.server.BaseHTTPRequestHandler):
    """Responds with the statuses in `server.script`, one per request, and keeps the bodies of the requests."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.server.requests.append(self.rfile.read(int(self.headers["Content-Length"])))  # type: ignore[attr-defined]
        status, headers, body = self.server.script.pop(0)  # type: ignore[attr-defined]
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """No access log."""


@contextlib.contextmanager
def scripted_server(*script: tuple[int, dict[str, str], bytes]) -> Iterator[tuple[str, list[bytes]]]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), ScriptedHandler)
    server.script, server.requests = list(script), []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.requests  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def refusal(status: int, **headers: str) -> tuple[int, dict[str, str], bytes]:
    payload = {"error": {"code": "Busy", "message": "busy", "hint": "wait", "request_id": "r-1"}}
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(payload).encode()


SCORED = {"as_of": "1998-07-01", "model": "m", "currency": "", "scores": [], "dropped": {}}
FOUND: tuple[int, dict[str, str], bytes] = (200, {}, json.dumps(SCORED).encode())


@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_header_is_waited_for(status: int) -> None:
    with scripted_server(refusal(status, Retry_After="1"), FOUND) as (address, requests), Client(address) as client:
        begins = time.monotonic()
        assert client.score([PERSON], "1998-07-01").model == "m"
        assert time.monotonic() - begins >= 1
    assert len(requests) == 2
    assert requests[0] == requests[1]


def test_a_request_is_repeated_after_a_lost_connection() -> None:
    with scripted_server((0, {}, b""), FOUND) as (address, requests), Client(address) as client:
        assert client.score([PERSON], "1998-07-01").model == "m"
    assert len(requests) == 2


def test_after_the_last_try_the_error_is_raised() -> None:
    with scripted_server(*[refusal(503)] * 3) as (address, requests), Client(address, retries=2) as client:
        with pytest.raises(ServiceError, match="503 Busy: busy") as refused:
            client.score([PERSON], "1998-07-01")
        assert refused.value.request_id == "r-1"
    assert len(requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500])
def test_a_request_that_would_fail_again_is_sent_once(status: int) -> None:
    with (
        scripted_server(refusal(status)) as (address, requests),
        Client(address) as client,
        pytest.raises(ServiceError),
    ):
        client.score([PERSON], "1998-07-01")
    assert len(requests) == 1


def test_a_job_without_an_idempotency_key_is_submitted_once() -> None:
    script: list[tuple[int, dict[str, str], bytes]] = [(0, {}, b""), refusal(503)]
    with (
        scripted_server(*script) as (address, requests),
        Client(address) as one,
        pytest.raises(ServiceError, match="no response"),
    ):
        one.submit("shop", "1998-07-01")
    assert len(requests) == 1


def test_an_error_of_a_proxy_is_named_as_such() -> None:
    with scripted_server((502, {}, b"<h1>Bad Gateway</h1>")) as (address, _), Client(address) as client:
        with pytest.raises(ServiceError, match="not in the service's own words") as refused:
            client.score([PERSON], "1998-07-01")
        assert refused.value.status == 502


def test_an_unreachable_service_is_named_with_its_address() -> None:
    address = f"http://127.0.0.1:{free_port()}"
    with Client(address, retries=0) as client, pytest.raises(ServiceError, match=address) as refused:
        client.grid()
    assert (refused.value.status, refused.value.code) == (0, "NoAnswer")


def test_the_key_of_the_environment_is_sent_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERCAST_KEY", "tck_geheim")
    with Client("http://127.0.0.1:1", retries=0) as client, pytest.raises(ServiceError) as refused:
        client.grid()
    assert "geheim" not in f"{refused.value} {client!r}"


def test_the_client_needs_no_database_and_no_server() -> None:
    """In a process of its own: here they are imported already."""
    seen = "import sys; from tiercast import Client; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", seen], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"sqlalchemy", "bentoml", "starlette", "duckdb", "ibis", "lightgbm", "mlflow"} & set(done.stdout.split())


def test_the_package_has_nothing_else_to_give() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = tiercast.Nothing
