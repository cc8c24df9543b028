"""Keys from the command line: what a person sees, and what a script reads."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.command_line import run


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(tmp_path: Path) -> None:
    made = run("keys", "add", "checkout", "--role", "score", "--days", "90", "--store", "scores.db", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()  # nothing else on stdout, so that a script can keep it
    assert re.fullmatch(r"tck_[0-9a-f]{12}_[0-9a-f]{64}", token)
    assert token not in made.stderr
    key_id = token.split("_")[1]
    listed = run("keys", "list", "--store", "scores.db", cwd=tmp_path)
    assert f"{key_id}   checkout   score   live" in listed.stdout
    gone = json.loads(run("keys", "revoke", key_id, "--store", "scores.db", "--json", cwd=tmp_path).stdout)
    assert (gone["key_id"], gone["state"]) == (key_id, "revoked")
    after = run("keys", "list", "--store", "scores.db", "--json", cwd=tmp_path)
    assert [key["state"] for key in json.loads(after.stdout)["keys"]] == ["revoked"]
    assert token.split("_")[2] not in listed.stdout + after.stdout


def test_bad_input_is_reported_in_parts_with_exit_code_2(tmp_path: Path) -> None:
    wrong = [
        run("keys", "list", cwd=tmp_path),
        run("keys", "list", "--store", "missing.db", cwd=tmp_path),
        run("keys", "add", "checkout", "--store", "scores.db", cwd=tmp_path),
        run("serve", "--bundle", "nowhere", "--host", "0.0.0.0", cwd=tmp_path),
    ]
    assert [ended.returncode for ended in wrong] == [2, 2, 2, 2]
    assert all("Hint:" in ended.stderr and "Traceback" not in ended.stderr for ended in wrong)
