"""In CI a skip is a failure, unless its marker says why it may be one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repo import tree

SKIPS = {
    "test_one.py": "import pytest\n\ndef test_that_skips():\n    pytest.skip('no such table')\n",
    "test_whole.py": "import pytest\n\npytest.importorskip('no_such_library')\n",
}
ALLOWED = {
    "test_marked.py": f"import pytest\npytestmark = pytest.mark.may_skip('not here')\n{SKIPS['test_one.py']}",
    "test_known.py": "import pytest\n\n@pytest.mark.xfail\ndef test_known_to_fail():\n    assert False\n",
    "test_passes.py": "def test_that_passes():\n    pass\n",
}


def run(folder: Path, sources: dict[str, str], *options: str, ci: str) -> subprocess.CompletedProcess[str]:
    """pytest over a few made-up modules, under our conftest."""
    shutil.copyfile(tree.ROOT / "tests" / "conftest.py", folder / "conftest.py")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = may_skip(why): may\n", encoding="utf-8")
    for name, source in sources.items():
        (folder / name).write_text(source, encoding="utf-8")
    around = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")} | {"CI": ci}
    asked = [sys.executable, "-m", "pytest", "-q", *options, str(folder)]
    return subprocess.run(asked, cwd=folder, env=around, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["one process", "workers"])
def test_skips_in_ci_fail_the_run_and_are_named(tmp_path: Path, options: tuple[str, ...]) -> None:
    answer = run(tmp_path, SKIPS | ALLOWED, *options, ci="true")
    assert answer.returncode == 1
    _, _, named = answer.stdout.partition("skipped in CI, which is a failure")
    assert "test_one.py" in named
    assert "test_whole.py" in named
    assert "test_marked.py" not in named
    assert "test_known.py" not in named


def test_marked_skips_and_known_failures_do_not_fail_ci(tmp_path: Path) -> None:
    assert run(tmp_path, ALLOWED, ci="true").returncode == 0


def test_a_skip_by_hand_is_only_a_skip(tmp_path: Path) -> None:
    assert run(tmp_path, SKIPS | ALLOWED, ci="false").returncode == 0
