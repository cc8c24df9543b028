from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from tiercast.contract import errors
from tiercast.serving.access import audit

ENTRY = audit.AuditEntry("3f2a91c0d4e5", "checkout", "POST", "/v1/score", 200, 3, "0" * 32)


def write_many(file: Path, who: str) -> None:
    log = audit.AuditLog(file)
    for _ in range(300):
        log.write(ENTRY._replace(name=who))


def test_a_line_has_time_key_route_and_number_of_customers(tmp_path: Path) -> None:
    assert audit.AuditLog(tmp_path / "audit.log").write(ENTRY)
    line = json.loads((tmp_path / "audit.log").read_text())
    assert line.pop("at").endswith("+00:00")
    assert line == ENTRY._asdict()


def test_lines_of_two_processes_do_not_mix(tmp_path: Path) -> None:
    file = tmp_path / "audit.log"
    fork = multiprocessing.get_context("spawn")
    writers = [fork.Process(target=write_many, args=(file, name)) for name in ("a" * 60, "b" * 60)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    names = [json.loads(line)["name"] for line in file.read_text().splitlines()]
    assert sorted(names) == ["a" * 60] * 300 + ["b" * 60] * 300


def test_the_log_is_for_its_owner_and_is_only_appended_to(tmp_path: Path) -> None:
    file = tmp_path / "audit.log"
    file.write_text("before\n")
    audit.AuditLog(file).write(ENTRY)
    assert file.read_text().startswith("before\n{")
    file.unlink()
    audit.AuditLog(file).write(ENTRY)  # it was moved away: the next line begins a new one
    assert file.stat().st_mode & 0o077 == 0


def test_without_a_file_the_lines_go_to_the_error_stream(capfd: pytest.CaptureFixture[str]) -> None:
    audit.AuditLog().write(ENTRY)
    assert json.loads(capfd.readouterr().err)["name"] == "checkout"


def test_a_log_that_cannot_be_written_is_refused_at_the_start_and_reported_later(tmp_path: Path) -> None:
    log = audit.AuditLog(tmp_path / "no" / "audit.log")
    with pytest.raises(errors.CannotWrite, match="no such file or directory"):
        log.check()
    assert not log.write(ENTRY)
    assert log.problem == "the audit log cannot be written: no such file or directory"
    (tmp_path / "no").mkdir()
    assert log.write(ENTRY)
    assert log.problem is None


def test_a_check_writes_nothing(tmp_path: Path) -> None:
    audit.AuditLog(tmp_path / "audit.log").check()
    assert (tmp_path / "audit.log").read_text() == ""
