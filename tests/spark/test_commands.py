"""The command line says the same on both engines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import scored_tables
from tiercast import cli


def json_output(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What a command prints with --json."""
    with pytest.raises(SystemExit) as end:
        cli.main([*arguments, "--json"])
    assert not end.value.code
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_check_finds_the_same(spark: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = scored_tables.write(tmp_path, scored_tables.purchases(60))
    arguments = ("check", source, "--as-of", str(scored_tables.AS_OF))
    assert json_output(capsys, *arguments, "--engine", "spark") == json_output(capsys, *arguments)
