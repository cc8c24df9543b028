"""`tiercast --help` answers at once: the heavy libraries wait until a command needs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "bentoml",
    "duckdb",
    "ibis",
    "lifetimes",
    "lightgbm",
    "matplotlib",
    "mlflow",
    "optuna",
    "pandas",
    "pyarrow",
    "pyspark",
    "scipy",
    "sklearn",
)

AFTER_IMPORT = "import tiercast.cli"
AFTER_HELP = """
import sys, tiercast.cli
sys.argv = ["tiercast", "--help"]
try:
    tiercast.cli.main()
except SystemExit as end:
    assert not end.code, end.code
"""


def loaded_by(source: str) -> set[str]:
    """The top-level modules in a fresh interpreter after `source` has run."""
    told = f"{source}\nimport json, sys\nprint()\nprint(json.dumps([name.partition('.')[0] for name in sys.modules]))"
    answer = subprocess.run([sys.executable, "-c", told], check=False, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    return set(json.loads(answer.stdout.splitlines()[-1]))


@pytest.mark.parametrize("source", [AFTER_IMPORT, AFTER_HELP], ids=["import", "help"])
def test_starting_the_command_line_imports_no_heavy_library(source: str) -> None:
    assert not loaded_by(source) & set(HEAVY)


def test_help_costs_at_most_half_a_second_of_processor_time() -> None:
    """Processor time, not the clock on the wall: other tests run on the same two cores. The best of five."""
    command = [str(Path(sys.executable).with_name("tiercast")), "--help"]
    spent = []
    for _ in range(5):
        before = os.times()
        answer = subprocess.run(command, check=False, capture_output=True, text=True)
        after = os.times()
        assert answer.returncode == 0, answer.stderr
        spent.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(spent) <= 0.5
