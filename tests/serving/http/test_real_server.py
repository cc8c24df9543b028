"""A service as it runs in production, with keys, and callers who plant what must never come out again."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import bentoml
import pytest

from tests.serving.score_requests import customer, purchase, score_body
from tests.serving.test_launch import free_port, wait_until_ready
from tiercast.serving.access import keys
from tiercast.serving.store import database

ROOT = Path(__file__).parents[3]
PLANTED = ("c-00917", "ann@example.org", "4111111111111111", "hunter2", "drop-table-keys")
SERVE = ("-m", "tiercast.cli", "serve")


class Served(NamedTuple):
    """A running service: where, with which keys, and everything it writes."""

    port: int
    token: str
    key_id: str
    store: Path
    folder: Path

    def send(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in {"Authorization": f"Bearer {self.token}", **headers}.items():
                connection.putheader(name.replace("_", "-"), value)
            if body is not None and "Content_Length" not in headers:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return response.status, headers, response.read().decode()
        finally:
            connection.close()

    def score(self, *customers: dict[str, Any], **headers: str) -> tuple[int, dict[str, str], str]:
        return self.send(
            "POST", "/v1/score", json.dumps(score_body(*customers)).encode(), Content_Type="application/json", **headers
        )

    def raw(self, text: bytes) -> str:
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as wire:
            parts = []
            with contextlib.suppress(ConnectionError, OSError):  # refused before it was read to its end
                wire.sendall(text)
                wire.shutdown(socket.SHUT_WR)
                while part := wire.recv(65536):
                    parts.append(part)
            return b"".join(parts).decode("latin-1")

    def written(self) -> str:
        """Everything that the service has written so far, and what it counts."""
        texts = [(self.folder / name).read_text() for name in ("out.log", "err.log", "audit.log")]
        return "\n".join([*texts, self.send("GET", "/metrics")[2]])


@pytest.fixture(scope="module")
def service(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, port = tmp_path_factory.mktemp("running"), free_port()
    store = folder / "scores.db"
    key, token = keys.add(database.open(f"sqlite:///{store}", create=True), "crm", ["admin"])
    command = [
        sys.executable,
        *SERVE,
        "--bundle",
        served,
        "--port",
        port,
        "--store",
        store,
        "--audit",
        folder / "audit.log",
    ]
    around = {name: value for name, value in os.environ.items() if not name.startswith("TIERCAST_")}
    around |= {"PYTHONPATH": str(ROOT), "TIERCAST_BODY_SECONDS": "2", "TIERCAST_KEYS_SECONDS": "1"}
    with (folder / "out.log").open("w") as out, (folder / "err.log").open("w") as err:
        server = subprocess.Popen(list(map(str, command)), stdout=out, stderr=err, env=around, text=True, cwd=folder)
        try:
            wait_until_ready(server, f"http://127.0.0.1:{port}")
            yield Served(port, token.text(), key.key_id, store, folder)
            server.send_signal(signal.SIGTERM)
            assert server.wait(timeout=60) == 0
        finally:
            server.kill()


@pytest.mark.slow
def test_nothing_planted_in_a_request_comes_out_in_any_log_metric_or_error(service: Served) -> None:
    responses = []
    for planted in PLANTED:
        address = planted.replace("@", "%40")
        responses += [
            service.send("GET", f"/v1/customers/{address}"),
            service.send("GET", f"/v1/model/{address}"),
            service.send("GET", f"/{address}?{address}={address}"),
            service.send("GET", f"/v1/score?id={address}"),
            service.send(
                "GET", "/v1/nothing", X_Request_Id=planted, User_Agent=planted, Cookie=planted, Referer=planted
            ),
            service.send("GET", "/v1/model", Authorization=f"Bearer {planted}"),
            service.send("GET", "/v1/model", Authorization=f"Bearer tck_{planted}_{planted}"),
            service.send("GET", "/v1/model", Authorization=f"Basic {planted}"),
            service.send("POST", "/v1/score", planted.encode(), Content_Type=f"text/{planted}"),
            service.send("POST", "/v1/score", planted.encode(), Content_Type="application/json"),
            service.send("POST", "/v1/score", json.dumps({planted: planted}).encode(), Content_Type="application/json"),
            service.send("POST", "/v1/score", b"{}", Content_Type="application/json", Content_Length=planted),
            service.score({**customer(planted), planted: planted}),
            service.score({**customer(planted), "attributes": {planted: [planted]}}),
            service.score(customer(planted), customer(planted)),
            service.score(customer(planted, purchase(day=planted))),
            service.score(customer(planted, purchase(amount=planted))),
            service.score(customer(planted, {"ordered_at": "1998-01-03", "amount": 1, "order_id": planted})),
        ]
        service.score(customer(planted, purchase(order_id=planted)), X_Request_Id=planted)  # scored, and not logged
        service.raw(f"{planted} /{planted} HTTP/1.1\r\nHost: {planted}\r\n\r\n".encode())
        service.raw(f"GET /{planted}\r\n{planted}\r\n\r\n".encode())
        service.raw(f"GET /livez HTTP/1.1\r\nHost: x\r\nX-{planted}: \x01\r\n\r\n".encode())
    assert {status for status, _, _ in responses} <= {400, 401, 404, 405, 413, 415, 422}
    written = "\n".join([*(f"{headers} {text}" for _, headers, text in responses), service.written()])
    assert len(service.written()) > 10_000
    assert not [planted for planted in PLANTED if planted.lower() in written.lower()]
    assert service.token.rpartition("_")[2] not in written


@pytest.mark.slow
def test_bentomls_own_client_finds_score_and_calls_it(service: Served) -> None:
    request = score_body(customer("a", purchase()), customer("b"))
    with bentoml.SyncHTTPClient(f"http://127.0.0.1:{service.port}", token=service.token) as client:
        response = client.score(request)
    assert response == json.loads(service.score(*request["customers"])[2])
    assert [row["customer_id"] for row in response["scores"]] == ["a", "b"]


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/static_content/main.js", "/static_content/", "/favicon.ico", "/v1/score/submit"])
def test_none_of_bentomls_own_addresses_is_reachable(service: Served, path: str) -> None:
    assert service.send("GET", path)[0] == 404


@pytest.mark.slow
def test_every_line_of_the_log_and_of_the_audit_is_one_json_object(service: Served) -> None:
    service.score(customer("a", purchase()), X_Request_Id="4bf92f3577b34da6a3ce929d0e0e4736")
    service.send("GET", "/v1/model")  # by its answer, the lines of the one before are written
    for name in ("out.log", "audit.log"):
        lines = [json.loads(line) for line in (service.folder / name).read_text().splitlines()]
        (line,) = (line for line in lines if line.get("request_id") == "4bf92f3577b34da6a3ce929d0e0e4736")
        assert line["key"] == service.key_id
    assert (line["name"], line["customers"], line["status"]) == ("crm", 1, 200)


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        b"POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 6\r\n"
        b"Transfer-Encoding: chunked\r\nAuthorization: KEY\r\n\r\n0\r\n\r\nGET /v1/model HTTP/1.1\r\n\r\n",
        b"POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 30\r\n"
        b"Authorization: KEY\r\n\r\n{}x",
        b"POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n"
        b"Authorization: KEY\r\n\r\n{}",
        b"GET /v1/model HTTP/1.1\r\nHost: x\r\n Authorization: KEY\r\n\r\n",
        b"GET /v1/model HTTP/1.1\r\nHost: x\r\nAuthorization : KEY\r\n\r\n",
        b"GET /v1/model HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"GET /v1/model HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    ],
    ids=["two lengths", "two content lengths", "less than its length", "folded", "space before colon", "large", "ws"],
)
def test_a_malformed_request_on_the_wire_is_refused_and_no_second_one_is_taken_from_it(
    service: Served, text: bytes
) -> None:
    response = service.raw(text.replace(b"KEY", f"Bearer {service.token}".encode()))
    statuses = [line.split()[1] for line in response.splitlines() if line.startswith("HTTP/1.1")]
    assert not [status for status in statuses if status < "400" or status >= "500"], response
    assert service.send("GET", "/livez")[0] == 200


@pytest.mark.slow
def test_thirty_megabytes_are_refused_and_a_slow_body_is_not_waited_for(service: Served) -> None:
    assert service.send("POST", "/v1/score", b" " * 30_000_000, Content_Type="application/json")[0] == 413
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as wire:
        head = "POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"
        wire.sendall(f"{head}Authorization: Bearer {service.token}\r\n\r\n{{".encode())
        assert b" 408 " in wire.recv(65536)
    assert 2 <= time.monotonic() - started < 15


@pytest.mark.slow
def test_a_key_revoked_from_the_command_line_stops_within_seconds(service: Served) -> None:
    engine = database.open(f"sqlite:///{service.store}")
    key, token = keys.add(engine, "leaver", ["score"])
    held = service._replace(token=token.text())
    deadline = time.monotonic() + 20
    while held.send("GET", "/v1/model")[0] != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    command = [sys.executable, "-m", "tiercast.cli", "keys", "revoke", key.key_id, "--store", str(service.store)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    revoked = time.monotonic()
    while held.send("GET", "/v1/model")[0] == 200:
        assert time.monotonic() < revoked + 10
        time.sleep(0.1)
    assert held.send("GET", "/v1/model")[0] == 401
