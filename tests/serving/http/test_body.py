"""Hostile bodies: every one gets a 4xx in our shape, and none is quoted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.serving.http import app_calls
from tests.serving.http.app_calls import Caller
from tests.serving.score_requests import refusal

PLANTED = "ann.c-00917@example.org"
MB = 1024 * 1024


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Caller:
    return app_calls.caller(tmp_path, monkeypatch, BODY_SECONDS="0.3", BODY_MB="1")


@pytest.mark.parametrize(
    "kind",
    ["application/vnd.bentoml+pickle", "application/python-pickle", "application/x-pickle", "text/plain", "",
     "multipart/form-data; boundary=x", "application/json; charset=utf-16", "application/json; charset=latin-1",
     "application/jsonp", "application/json, text/plain", "application/vnd.api+json", f"application/{PLANTED}"],
)  # fmt: skip
def test_a_body_of_another_kind_is_not_opened(call: Caller, kind: str) -> None:
    hostile = b"cos\nsystem\n(S'exit 1'\ntR."  # would run code if anything unpickled it
    response = call("POST", "/v1/double", hostile, role="score", headers=[(b"content-type", kind.encode())])
    refusal(response, 415)


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON", 'application/json; charset="UTF-8"'])
def test_json_in_utf8_is_taken_however_it_is_announced(call: Caller, kind: str) -> None:
    sent = [(b"content-type", kind.encode())]
    assert call("POST", "/v1/double", b'{"number": 2}', role="score", headers=sent).json() == {"number": 4.0}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[" * 100_000, b'{"number":' * 5000, b'{"number": NaN}', b'{"number": Infinity}', b"\x00" * 50,
     b'{"number": -Infinity}', b'{"number": 1e999}', b'{"number": ' + b"9" * 10_000 + b"}", b'{"number": 0x10}',
     '{"number": 1}'.encode("utf-16"), '{"number": 1}'.encode("utf-32"), b'\xef\xbb\xbf{"number": 1}',
     b'{"number": 1, "names": ["\xe9"]}', b'{"number": 1, "names": ["\\ud800"]}', b'{"number": 1} {"number": 2}',
     b'{"number": 1, "names": ["\xed\xa0\x80"]}', b'{"number": 1, "number": 2}', b'{"number": 1, "\\u006eumber": 2}',
     b"{'number': 1}", b'{"number": 1,}', b'{"number": 1 /* no */}', b'"number"', b"null", b"[]", b"true",
     b'{"number": "1"}', b'{"number": true}', b'{"number": null}', b'{"number": 1, "__class__": "x"}',
     json.dumps({"number": 1, PLANTED: 2}).encode(), json.dumps({"number": PLANTED}).encode()],
    ids=lambda body: repr(body[:24]),
)  # fmt: skip
def test_a_hostile_body_is_refused_and_not_quoted(call: Caller, body: bytes) -> None:
    response = call("POST", "/v1/double", body, role="score")
    assert response.status_code in (400, 422)
    refusal(response, response.status_code)
    assert PLANTED not in response.text


def test_the_name_of_an_unknown_field_is_shown_only_if_it_looks_like_one(call: Caller) -> None:
    body = json.dumps({"number": 1, PLANTED: 2, "numbre": 3}).encode()
    places = [field["path"] for field in refusal(call("POST", "/v1/double", body, role="score"), 422)["fields"]]
    assert sorted(places) == ["(a name that is not shown)", "numbre"]


@pytest.mark.parametrize("length", [b"-1", b"+5", b"1e3", b"0x5", b"5 5", b"\xb2", b"9" * 5000, b"1048577", b"ann"])
def test_a_length_that_is_none_or_too_large_is_refused_before_the_body_is_read(call: Caller, length: bytes) -> None:
    refusal(call("POST", "/v1/double", [1e9], role="score", headers=[(b"content-length", length)]), 413)


def test_a_chunked_body_is_cut_where_it_becomes_too_large(call: Caller) -> None:
    chunks = [b" " * (MB // 4)] * 5
    refusal(call("POST", "/v1/double", [*chunks, 1e9], role="score"), 413)


def test_a_body_of_just_the_size_allowed_passes(call: Caller) -> None:
    body = b'{"number": 1}'
    assert call("POST", "/v1/double", body + b" " * (MB - len(body)), role="score").status_code == 200


def test_a_body_that_trickles_is_not_waited_for(call: Caller) -> None:
    trickle = [part for _ in range(100) for part in (b" ", 0.05)]
    response = call("POST", "/v1/double", trickle, role="score")
    refusal(response, 408)
    assert response.headers["connection"] == "close"


def test_a_body_with_two_lengths_could_be_read_as_two_requests(call: Caller) -> None:
    both = [(b"content-length", b"13"), (b"transfer-encoding", b"chunked")]
    assert refusal(call("POST", "/v1/double", b"{}", role="score", headers=both), 400)["code"] == "TwoLengths"
    twice = [(b"content-length", b"13"), (b"content-length", b"14")]
    assert refusal(call("POST", "/v1/double", b"{}", role="score", headers=twice), 400)["code"] == "HeaderTwice"
    kinds = [(b"content-type", b"application/json"), (b"content-type", b"application/x-pickle")]
    assert refusal(call("POST", "/v1/double", b"{}", role="score", headers=kinds), 400)["code"] == "HeaderTwice"


def test_sql_in_a_name_is_a_name(call: Caller) -> None:
    body = json.dumps({"number": 1, "names": ["'; DROP TABLE keys; --", "\x00", "\u202e", "x" * 1000]}).encode()
    assert call("POST", "/v1/double", body, role="score").status_code == 200
    assert call.audited()[-1]["customers"] == 4
