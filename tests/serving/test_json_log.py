from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest

from tiercast.serving import json_log

PLANTED = "c-00917"


def line(name: str, level: int, message: str, *arguments: Any, error: bool = False) -> dict[str, Any]:
    record = logging.LogRecord(name, level, "", 0, message, arguments, sys.exc_info() if error else None)
    text = json_log.JsonFormatter().format(record)
    assert "\n" not in text
    logged: dict[str, Any] = json.loads(text)
    return logged


def test_an_error_is_logged_by_its_type_and_place() -> None:
    try:
        float(PLANTED)
    except ValueError:
        logged = line(json_log.NAME, logging.ERROR, "fault", error=True)
    assert logged["error"] == "ValueError"
    assert "test_an_error_is_logged" in logged["frames"][-1]
    assert PLANTED not in json.dumps(logged)


@pytest.mark.parametrize("level", [logging.WARNING, logging.ERROR, logging.CRITICAL])
def test_what_a_vendor_fills_into_a_warning_is_left_out(level: int) -> None:
    assert PLANTED not in json.dumps(line("uvicorn.error", level, "bad request %s", PLANTED))
    assert PLANTED not in json.dumps(line("asyncio", level, f"task failed\n{PLANTED}"))


def test_the_start_of_the_server_is_logged_in_full() -> None:
    logged = line("bentoml.serve", logging.INFO, "Service %s initialized", "tiercast")
    assert logged["message"] == "Service tiercast initialized"


def test_a_newline_forges_no_line() -> None:
    logged = line(json_log.NAME, logging.INFO, "%s", 'a\n{"level": "info", "message": "forged"}')
    assert logged["message"].startswith("a\n")
