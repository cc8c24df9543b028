"""Which requests the application lets through, and what it records of them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from tests.serving.http import app_calls
from tests.serving.http.app_calls import Caller
from tests.serving.score_requests import refusal
from tiercast.serving.access import keyring, keys
from tiercast.serving.store import database

ID = b"4bf92f3577b34da6a3ce929d0e0e4736"
PLANTED = "ann.c-00917"


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Caller:
    return app_calls.caller(tmp_path, monkeypatch)


ALLOWED = {
    ("POST", "/v1/double"): {"score", "admin"},
    ("GET", "/v1/see"): {"read", "admin"},
    ("POST", "/v1/change"): {"admin"},
}


@pytest.mark.parametrize("role", app_calls.ROLES)
@pytest.mark.parametrize(("method", "path"), ALLOWED)
def test_a_role_opens_its_addresses_and_no_other(call: Caller, method: str, path: str, role: str) -> None:
    response = call(method, path, b'{"number": 2}', role=role)
    if role in ALLOWED[method, path]:
        assert response.status_code == 200
    else:
        assert refusal(response, 403)["code"] == "WrongRole"
        assert 'error="insufficient_scope"' in response.headers["www-authenticate"]


@pytest.mark.parametrize(
    "sent",
    [b"", b"Bearer", b"Bearer ", b"Basic YTpi", b"tck_1_2", b"Bearer tck_" + b"0" * 12 + b"_" + b"0" * 64,
     b"Bearer " + b"x" * 100_000, b"Bearer \xff\xfe\x00"],
)  # fmt: skip
def test_without_a_valid_key_the_response_is_401_and_the_body_is_not_read(call: Caller, sent: bytes) -> None:
    response = call("POST", "/v1/double", [1e9], headers=[(b"authorization", sent)])  # reading would take 30 years
    refusal(response, 401)
    assert response.headers["www-authenticate"].startswith("Bearer")


def test_the_scheme_may_be_written_in_any_case(call: Caller) -> None:
    sent = f"bEARER {call.tokens['read']}".encode()
    assert call("GET", "/v1/see", headers=[(b"authorization", sent)]).status_code == 200


def test_two_keys_in_one_request_are_one_too_many(call: Caller) -> None:
    also = [(b"authorization", f"Bearer {call.tokens['read']}".encode())]
    assert refusal(call("GET", "/v1/see", role="read", headers=also), 400)["code"] == "HeaderTwice"


def test_a_right_id_with_another_keys_secret_opens_nothing(call: Caller) -> None:
    mixed = call.tokens["admin"][:16] + call.tokens["read"][16:]
    assert call("GET", "/v1/see", headers=[(b"authorization", f"Bearer {mixed}".encode())]).status_code == 401


def test_a_revoked_key_is_named_in_the_audit_log_and_let_in_no_more(call: Caller) -> None:
    engine = database.open(f"sqlite:///{call.folder / 'scores.db'}")
    keys.revoke(engine, call.tokens["read"])
    assert call.state.authenticator.keyring is not None
    call.state.authenticator.keyring.refresh()
    assert refusal(call("GET", "/v1/see", role="read"), 401)["code"] == "WrongKey"
    (line,) = call.audited()
    assert (line["name"], line["status"]) == ("the read", 401)


def test_probes_need_no_key_and_leave_no_line(call: Caller) -> None:
    assert call("GET", "/livez").status_code == 200
    assert not (call.folder / "audit.log").exists()


@pytest.mark.parametrize(
    "path",
    ["/v1/see/", "//v1/see", "/v1//see", "/V1/SEE", "/v1/see;x", "/v1/./see", "/livez/../v1/see", "/v1/see\x00",
     "http://127.0.0.1/v1/see", "", "*", f"/v1/see/{PLANTED}"],
)  # fmt: skip
def test_an_address_that_is_not_spelled_as_in_the_table_is_not_there(call: Caller, path: str) -> None:
    refusal(call("GET", path, role="admin"), 404)


def test_an_address_in_percent_signs_is_not_the_one_it_spells(call: Caller) -> None:
    refusal(call("GET", "/v1/see", role="admin", raw_path=b"/v1/%73ee"), 404)
    refusal(call("GET", "/v1/see", role="admin", raw_path=b"/v1%2fsee"), 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "get", PLANTED])
def test_another_method_gets_the_allowed_one(call: Caller, method: str) -> None:
    response = call(method, "/v1/see", role="admin")
    refusal(response, 405)
    assert response.headers["allow"] == "GET, HEAD"


def test_head_needs_the_key_that_get_needs(call: Caller) -> None:
    assert call("HEAD", "/v1/see").status_code == 401
    assert call("HEAD", "/v1/see", role="read").status_code == 200
    assert call("HEAD", "/v1/double", role="admin").status_code == 405


def test_a_websocket_is_closed_before_it_opens(call: Caller) -> None:
    import asyncio

    sent: list[Any] = []

    async def connect() -> None:
        async def receive() -> Any:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await call.app({"type": "websocket", "path": "/v1/see", "headers": []}, receive, send)

    asyncio.run(connect())
    assert [message["type"] for message in sent] == ["websocket.close"]


@pytest.mark.parametrize("sent", [b"short", b"c-00917" * 5, b"a\nlevel=error" + b"0" * 20, b"4" * 33, b"\xff" * 32])
def test_a_request_id_that_could_be_a_customer_or_a_forged_line_is_replaced(call: Caller, sent: bytes) -> None:
    response = call("GET", "/v1/see", role="read", headers=[(b"x-request-id", sent)])
    assert len(response.headers["x-request-id"]) == 32
    assert response.headers["x-request-id"] != sent.decode("latin-1")


def test_a_valid_request_id_stands_in_response_error_log_and_audit(
    call: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("bentoml").propagate = True
    with caplog.at_level(logging.INFO):
        error = refusal(call("GET", "/v1/see", headers=[(b"x-request-id", ID)]), 401)
    assert error["request_id"] == ID.decode()
    assert [record.fields["request_id"] for record in caplog.records if hasattr(record, "fields")] == [ID.decode()]
    assert call.audited()[0]["request_id"] == ID.decode()


def test_the_audit_log_has_key_route_and_number_of_customers(call: Caller) -> None:
    call("POST", "/v1/double", b'{"number": 1, "names": ["ann", "bob"]}', role="score")
    call("GET", "/v1/see")
    first, second = call.audited()
    assert (first["name"], first["route"], first["status"], first["customers"]) == ("the score", "/v1/double", 200, 2)
    assert (second["key"], second["name"], second["status"], second["customers"]) == (None, None, 401, None)
    assert first["key"] in call.tokens["score"]


def test_a_key_over_its_rate_gets_the_seconds_to_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call = app_calls.caller(tmp_path, monkeypatch, RATE="0.1")
    assert call("GET", "/v1/see", role="read").status_code == 200
    response = call("GET", "/v1/see", role="read")
    refusal(response, 429)
    assert response.headers["retry-after"] == "10"
    assert call("GET", "/v1/see", role="admin").status_code == 200  # another key


def test_the_endpoint_receives_the_body_as_it_was_sent(call: Caller) -> None:
    assert call("POST", "/v1/echo", [b'{"a"', b": 1}"], role="score").text == "b'{\"a\": 1}'"


def test_a_stream_passes_through_with_our_headers(call: Caller) -> None:
    response = call("GET", "/v1/rows", role="read")
    assert (response.text, response.headers["x-content-type-options"]) == ("0\n1\n2\n", "nosniff")
    assert "x-request-id" in response.headers


def test_too_many_requests_at_once_get_503_busy(call: Caller) -> None:
    call.state.in_flight = 100
    response = call("GET", "/v1/see", role="read")
    assert refusal(response, 503)["code"] == "Busy"
    assert response.headers["retry-after"] == "1"
    assert call("GET", "/livez").status_code == 200


class TestWithoutKeys:
    @pytest.fixture
    def call(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Caller:
        return app_calls.caller(tmp_path, monkeypatch, with_keys=False, LOCAL="1")

    def test_callers_on_this_machine_may_use_every_endpoint(self, call: Caller) -> None:
        assert call("POST", "/v1/change", b'{"number": 1}').status_code == 200

    @pytest.mark.parametrize("host", [b"example.org", b"evil.127.0.0.1.nip.io:3000", b"", b"192.168.0.7", b"[::]:3000"])
    def test_a_page_of_another_site_does_not_reach_it_through_the_browser(self, call: Caller, host: bytes) -> None:
        assert refusal(call("GET", "/v1/see", host=host), 403)["code"] == "NotLocal"

    def test_a_caller_from_another_machine_is_refused(self, call: Caller) -> None:
        assert refusal(call("GET", "/v1/see", server=("192.168.0.7", 3000)), 403)["code"] == "NotLocal"
        refusal(call("GET", "/v1/see", server=None), 403)

    def test_a_key_is_required_as_soon_as_the_store_has_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = f"sqlite:///{tmp_path / 'scores.db'}"
        call = app_calls.caller(tmp_path, monkeypatch, with_keys=False, LOCAL="1", STORE=url)
        from tiercast.serving.store import migrations

        engine = database.open(url, create=True)
        migrations.upgrade(engine)
        assert call.state.authenticator.keyring is not None
        refusal(call("GET", "/v1/see"), 503)  # not read yet: nobody knows whether there is a key
        call.state.authenticator.keyring.refresh()
        assert call("GET", "/v1/see").status_code == 200
        _, token = keys.add(engine, "crm", ["read"])
        call.state.authenticator.keyring.refresh()
        refusal(call("GET", "/v1/see"), 401)
        sent = [(b"authorization", f"Bearer {token.text()}".encode())]
        assert call("GET", "/v1/see", headers=sent).status_code == 200

    def test_a_service_with_neither_store_nor_local_mode_authorizes_no_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        call = app_calls.caller(tmp_path, monkeypatch, with_keys=False)
        refusal(call("GET", "/v1/see"), 503)


def test_before_the_keys_are_read_every_request_is_refused_and_readyz_has_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = app_calls.caller(tmp_path, monkeypatch, with_keys=False, STORE=f"sqlite:///{tmp_path / 'missing.db'}")
    with call.state.authenticator.watching():
        assert call("GET", "/v1/see").status_code == 503
        error = refusal(call("GET", "/readyz"), 503)
    assert error["fields"] == [{"path": "keys", "message": "there is no store"}]


def test_while_the_database_is_down_keys_stay_valid_and_readyz_reports_it(call: Caller) -> None:
    key_database = app_calls.KeyDatabase(keys.list_keys(database.open(f"sqlite:///{call.folder / 'scores.db'}")))
    ring = keyring.Keyring(key_database.read, 60)
    call.state.authenticator.keyring = ring
    with call.state.authenticator.watching():
        assert call("GET", "/readyz").json()["parts"]["keys"] == "read"
        key_database.is_down = True
        ring.refresh()
        assert call("GET", "/v1/see", role="read").status_code == 200
        assert "are used" in call("GET", "/readyz").json()["parts"]["keys"]
