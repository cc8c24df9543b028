from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.serving.jobs.termination import Terminated, TerminationHandler


@pytest.fixture
def stopping() -> Iterator[TerminationHandler]:
    result = TerminationHandler()
    before = signal.signal(signal.SIGTERM, result)
    yield result
    signal.signal(signal.SIGTERM, before)


def send_sigterm() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_before_the_work_ends_it_at_its_beginning(stopping: TerminationHandler) -> None:
    send_sigterm()
    with pytest.raises(Terminated):
        stopping.allow()


def test_the_work_is_interrupted_once_so_that_it_can_clean_up(stopping: TerminationHandler) -> None:
    stopping.allow()
    with pytest.raises(Terminated):
        send_sigterm()
    send_sigterm()
    with pytest.raises(Terminated):  # it got lost, so the work is told again where it asks
        stopping.check()


def test_after_forbid_no_signal_interrupts_the_work(stopping: TerminationHandler) -> None:
    stopping.allow()
    stopping.forbid()
    send_sigterm()
    stopping.check()
    assert not stopping.was_raised


def test_an_interrupted_query_raises_its_own_error_and_the_handler_knows_why(
    stopping: TerminationHandler,
) -> None:
    stopping.allow()
    endless = "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b"
    with DuckDBEngine(threads=1) as engine:
        timer = threading.Timer(0.3, send_sigterm)
        timer.start()
        with pytest.raises(BaseException):  # noqa: B017  DuckDB's own, or ours
            engine.con.raw_sql(endless).fetchall()
        timer.join()
    assert stopping.was_raised
