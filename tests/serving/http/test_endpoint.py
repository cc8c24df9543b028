"""The way from a function to an address, where the function fails or is slow."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.responses import PlainTextResponse

from tests.serving.http import app_calls
from tests.serving.score_requests import refusal
from tiercast.contract import errors
from tiercast.serving.http.endpoint import JSON, Endpoint, Handler, without_body

PLANTED = "c-00917"


def raising(error: Exception) -> Any:
    def function() -> None:
        raise error

    return without_body(function)


def called(handler: Handler, tmp_path: Path, patch: pytest.MonkeyPatch, **settings: str) -> app_calls.Response:
    for name, value in settings.items():
        patch.setenv(f"TIERCAST_{name}", value)
    endpoint = Endpoint("/v1/see", "GET", ("read",), "See.", handler, {JSON: None})
    call = app_calls.caller(tmp_path, patch, endpoints=[endpoint])
    return call("GET", "/v1/see", role="read")


def test_bad_input_is_a_422_and_its_first_offender_is_quoted_only_as_a_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = errors.WrongType("it is not known", count=1, total=2, first=PLANTED, hint="send another")
    response = called(raising(wrong), tmp_path, monkeypatch)
    error = refusal(response, 422)
    assert (error["code"], error["count"], error["total"], error["hint"]) == ("WrongType", 1, 2, "send another")
    assert PLANTED not in response.text


def test_a_database_that_does_not_respond_gives_a_503_without_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = errors.StoreUnavailable("away", first="postgresql://tier@db.internal/scores", hint="start db.internal")
    response = called(raising(away), tmp_path, monkeypatch)
    refusal(response, 503)
    assert response.headers["retry-after"] == "5"
    assert "db.internal" not in response.text


@pytest.mark.parametrize("error", [RuntimeError(PLANTED), errors.FitFailed(PLANTED, hint=PLANTED), KeyError(PLANTED)])
def test_a_fault_of_ours_is_a_500_that_quotes_nothing_in_response_or_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], error: Exception
) -> None:
    response = called(raising(error), tmp_path, monkeypatch)
    assert refusal(response, 500)["code"] == "InternalError"
    assert PLANTED not in response.text + "".join(capfd.readouterr())


def test_a_response_that_takes_too_long_is_a_504_in_our_shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = without_body(lambda: time.sleep(0.3))
    assert refusal(called(slow, tmp_path, monkeypatch, ANSWER_SECONDS="0.1"), 504)["code"] == "TooLate"


def test_a_response_after_the_time_limit_is_not_sent_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread ends its work whatever happens to the request."""

    async def stubborn(_: Any) -> PlainTextResponse:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(0.3)
        return PlainTextResponse("done")

    refusal(called(stubborn, tmp_path, monkeypatch, ANSWER_SECONDS="0.1"), 504)


def test_a_number_that_is_not_finite_is_null(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert called(without_body(lambda: {"auc": float("nan")}), tmp_path, monkeypatch).json() == {"auc": None}
