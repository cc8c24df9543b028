from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import mlflow
import pytest
from pyarrow import parquet

from tests import command_line, score_files, scored_tables, small_training
from tiercast.contract import moves as contract
from tiercast.models import bundle_folder
from tiercast.training.monitoring import checks
from tiercast.training.tracking import store
from tiercast.training.train import Trained

pytestmark = pytest.mark.slow
AS_OF, LATER = dt.date(1998, 7, 1), dt.date(1998, 9, 15)


@pytest.fixture(scope="module")
def place(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the orders that the small bundle learned from, the bundle, and its scores of two days."""
    folder = tmp_path_factory.mktemp("place")
    orders = str(small_training.every_sixteenth_customer(folder / "orders.parquet"))
    bundle_folder.save(trained.bundle, folder / "bundle")
    for name, day in (("old", AS_OF), ("new", LATER)):
        scored_tables.score(trained.bundle, orders, folder / f"{name}.parquet", as_of=day)
    return folder


def watching(place: Path, *more: object, as_of: dt.date = AS_OF) -> tuple[object, ...]:
    return ("watch", place / "orders.parquet", "--as-of", as_of, "--bundle", place / "bundle", *more)


def bad_scores(place: Path, folder: Path) -> str:
    """Scores of 1998-03-01 that give everybody a small risk, which most of these customers do not have."""
    ids = sorted(set(parquet.read_table(place / "orders.parquet")["customer_id"].to_pylist()))
    n = len(ids)
    day = dt.date(1998, 3, 1)
    return score_files.write(
        folder / "bad.parquet", ids, ["A"] * n, [50.0] * n, as_of=day, value_days=120, p_churn=[0.1] * n,
        value_low=[0.0] * n, value_high=[90.0] * n, currency="",
    )  # fmt: skip


def test_moves_ends_with_a_line_for_a_ticket(place: Path, tmp_path: Path) -> None:
    made = ("--out", tmp_path / "moves.parquet", "--plot", tmp_path / "moves.png")
    done = command_line.run("moves", place / "old.parquet", place / "new.parquet", *made)
    assert done.returncode == 0, done.stderr
    n = parquet.read_metadata(place / "old.parquet").num_rows
    moved = parquet.read_table(tmp_path / "moves.parquet")
    *_, summary, out, plot = done.stdout.splitlines()
    assert summary.startswith(f"{moved.num_rows:,} of {n:,} customers moved from 1998-07-01 to 1998-09-15: ")
    assert (out, plot) == (str(tmp_path / "moves.parquet"), str(tmp_path / "moves.png"))
    assert moved.column_names == [column.name for column in contract.MOVES]
    assert (tmp_path / "moves.png").read_bytes().startswith(b"\x89PNG")


def test_moves_as_json_add_up_and_have_reasons_in_words(place: Path) -> None:
    arguments = ("moves", place / "old.parquet", place / "new.parquet", "--json", "--top", "3")
    result = command_line.one_object(command_line.run(*arguments, "--lang", "zh"))
    assert sum(row["customers"] for row in result["matrix"]) == sum(result["counts"].values())
    assert len(result["falls"]) == 3
    assert all(len(row["reason_texts"]) == len(row["reasons"]) for row in result["falls"])
    assert "位客户" in result["summary"]


def test_moves_refuses_what_it_cannot_compare(place: Path) -> None:
    kind, message = command_line.refusal(command_line.run("moves", place / "new.parquet", place / "old.parquet"))
    assert kind == "BadInput"
    assert "older than the first" in message
    kind, message = command_line.refusal(command_line.run("moves", place / "bundle", place / "old.parquet"))
    assert "this is a bundle" in message
    kind, _ = command_line.refusal(
        command_line.run("moves", place / "old.parquet", place / "new.parquet", "--plot", "x.pdf")
    )
    assert kind == "BadInput"


def test_a_watch_without_alarms_ends_with_0_and_writes_nothing_without_mlflow(place: Path, tmp_path: Path) -> None:
    done = command_line.run(*watching(place, "--no-mlflow"), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "watched as of 1998-07-01, 6 checks: all quiet"
    assert list(tmp_path.iterdir()) == []


def test_a_watch_that_alarms_ends_with_3_and_is_in_mlflow(place: Path, tmp_path: Path, mlruns: Path) -> None:
    done = command_line.run(*watching(place, "--scores", bad_scores(place, tmp_path), "--json"), cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    result = json.loads(done.stdout)
    alarms = {check["code"] for check in result["checks"] if check["level"] == "alarm"}
    assert {"W7", "W9"} <= alarms
    assert result["level"] == "alarm"
    store.connect()
    logged = mlflow.get_run(result["run"]).data
    assert logged.tags["level"] == "alarm"
    assert logged.metrics["level/W7"] == checks.LEVELS.index("alarm")


def test_a_folder_of_scores_is_read_and_open_windows_are_listed(place: Path, tmp_path: Path) -> None:
    bad_scores(place, tmp_path)
    (tmp_path / "open.parquet").write_bytes((place / "old.parquet").read_bytes())
    (tmp_path / "orders.parquet").write_bytes((place / "orders.parquet").read_bytes())
    done = command_line.run(*watching(place, "--scores", tmp_path, "--only", "outcomes", "--no-mlflow"))
    assert done.returncode == 3, done.stderr
    assert "* scores of 1998-07-01: the churn window closes on 1998-09-29" in done.stdout
    assert "W7 A stated risk is what happened (scores of 1998-03-01)" in done.stdout


def test_a_watch_refuses_what_it_cannot_do(place: Path, tmp_path: Path) -> None:
    only = ("--only", "outcomes", "--no-mlflow")
    message = {
        "no window of these scores has closed": watching(place, "--scores", place / "old.parquet", *only),
        "need old scores": watching(place, *only),
        "is not known": watching(place, "--only", "weather", "--no-mlflow"),
        "there are no scores in this folder": watching(place, "--scores", tmp_path, "--no-mlflow"),
        "which day is not clear": ("watch", place / "orders.parquet", "--bundle", place / "bundle", "--no-mlflow"),
    }
    (tmp_path / "orders.parquet").write_bytes((place / "orders.parquet").read_bytes())
    for words, arguments in message.items():
        assert words in command_line.refusal(command_line.run(*arguments))[1]
