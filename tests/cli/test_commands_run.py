from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from pyarrow import parquet

from tests import command_line, make_tables, scored_tables
from tests.cdnow_table import write_parquet
from tiercast.models import bundle_folder
from tiercast.training.train import Trained

pytestmark = pytest.mark.slow
QUICK = """
[trees]
rounds = 20
[rolling]
most_windows = 1
bootstrap_draws = 20
threads = 1
feature_windows = [90]
"""


@pytest.fixture(scope="module")
def place(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with orders.parquet and bundle/."""
    folder = tmp_path_factory.mktemp("place")
    scored_tables.write(folder, scored_tables.purchases(40))
    bundle_folder.save(trained.bundle, folder / "bundle")
    return folder


def scoring(place: Path, out: Path, *more: object) -> tuple[object, ...]:
    return (
        "score",
        place / "orders.parquet",
        "--as-of",
        "1998-07-01",
        "--bundle",
        place / "bundle",
        "--out",
        out,
        *more,
    )


def test_check_reads_counts_and_judges(place: Path) -> None:
    done = command_line.run("check", place / "orders.parquet", "--as-of", "1998-07-01", "--value-days", "90")
    assert done.returncode == 0, done.stderr
    n = parquet.read_metadata(place / "orders.parquet").num_rows
    assert f"transactions: {n:,} of {n:,} rows kept" in done.stdout
    assert "proposed churn horizon: " in done.stdout


def test_check_as_json_is_one_object(place: Path) -> None:
    result = command_line.one_object(command_line.run("check", place / "orders.parquet", "--json"))
    n = parquet.read_metadata(place / "orders.parquet").num_rows
    assert result["reading"]["transactions"]["rows_kept"] == n
    assert result["reading"]["as_of"] == "1998-06-29", "the day after the newest row"
    assert result["readiness"]


def test_train_writes_a_bundle_that_score_takes(place: Path, tmp_path: Path) -> None:
    config = tmp_path / "tiercast.toml"
    config.write_text(QUICK, encoding="ascii")
    arguments = (
        "train",
        place / "orders.parquet",
        "--as-of",
        "1998-07-01",
        "--churn-days",
        "180",
        "--value-days",
        "180",
    )
    done = command_line.run(
        *arguments, "--config", config, "--no-mlflow", "--bundle", tmp_path / "bundle", "--json", cwd=tmp_path
    )
    result = command_line.one_object(done)
    assert (result["as_of"], result["run"]) == ("1998-07-01", None)
    assert result["churn"]["models"]["tiercast"]["auc"]["value"] > 0.5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "tiercast.toml"], "and nothing else"
    assert bundle_folder.load(tmp_path / "bundle").about.churn_days == 180
    again = command_line.run(
        "score", place / "orders.parquet", "--as-of", "1998-07-01", "--bundle", "bundle", "--json", cwd=tmp_path
    )
    assert command_line.one_object(again)["customers"] == parquet.read_metadata(tmp_path / "scores.parquet").num_rows


def test_score_writes_the_file_and_prints_the_grid(place: Path, tmp_path: Path) -> None:
    done = command_line.run(*scoring(place, tmp_path / "deep" / "scores.parquet", "--lang", "zh"))
    assert done.returncode == 0, done.stderr
    n = parquet.read_metadata(tmp_path / "deep" / "scores.parquet").num_rows
    assert f"{n:,} customers scored as of 1998-07-01" in done.stdout.splitlines()[-1]
    assert "高价值" in done.stdout
    assert done.stderr == "", "no progress bar where there is no terminal"


def test_score_as_json_adds_up(place: Path, tmp_path: Path) -> None:
    result = command_line.one_object(command_line.run(*scoring(place, tmp_path / "s.parquet", "--json")))
    assert sum(row["customers"] for row in result["tiers"]) == result["customers"]
    assert [row["tier"] for row in result["tiers"]] == list("ABCDEF")


def test_explain_speaks_chinese_and_json(place: Path) -> None:
    one, other = sorted(set(scored_tables.purchases(40)["customer_id"].to_pylist()))[:2]
    arguments = ("explain", place / "orders.parquet", "--as-of", "1998-07-01", "--bundle", place / "bundle")
    chosen = ("--customer", other, "--customer", one, "--lang", "zh")
    spoken = command_line.run(*arguments, *chosen)
    assert spoken.returncode == 0, spoken.stderr
    assert f"{other}: " in spoken.stdout.splitlines()[0]
    result = command_line.one_object(command_line.run(*arguments, *chosen, "--json"))
    assert [row["customer_id"] for row in result["customers"]] == [other, one]
    kind, message = command_line.refusal(command_line.run(*arguments, "--customer", one, "--customer", "nobody"))
    assert kind == "BadInput"
    assert "1 of 2 customers" in message
    assert "First: nobody" in message
    assert f"nearest: '{one}'" in command_line.refusal(command_line.run(*arguments, "--customer", f"{one}.0"))[1]


def test_a_refusal_as_json_has_the_four_parts_on_stdout_too(place: Path, tmp_path: Path) -> None:
    done = command_line.run(*scoring(place, tmp_path / "s.tsv", "--json"))
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "CannotWrite"
    assert all(error[part] for part in ("message", "first", "hint"))


def test_renamed_columns_and_overrides_are_taken(place: Path, tmp_path: Path) -> None:
    renamed = scored_tables.purchases(40).rename_columns(["Client", "Day", "Items", "Paid"])
    source = scored_tables.write(tmp_path, renamed)
    names = {"customer_id": "Client", "ordered_at": "Day", "quantity": "Items", "amount": "Paid"}
    options = [part for ours, yours in names.items() for part in ("--column", f"{ours}={yours}")]
    one = renamed["Client"][0].as_py()
    by_hand = make_tables.write_text(
        tmp_path, f"customer_id,tier,reason,by,until\n{one},A,promised,Ann,2000-01-01\n", "overrides.csv"
    )
    arguments = (
        "score",
        source,
        "--as-of",
        "1998-07-01",
        "--bundle",
        place / "bundle",
        "--out",
        tmp_path / "s.parquet",
    )
    result = command_line.one_object(command_line.run(*arguments, *options, "--overrides", by_hand, "--json"))
    assert result["overrides"] == 1
    rows = parquet.read_table(tmp_path / "s.parquet").to_pylist()
    assert next(row["tier"] for row in rows if row["customer_id"] == one) == "A"


def started(place: Path, out: Path) -> subprocess.Popen[bytes]:
    """A real scoring of all of CDNOW, caught while it works on the output."""
    write_parquet(place / "all.parquet")
    arguments = ("score", place / "all.parquet", "--as-of", "1998-07-01", "--bundle", place / "bundle", "--out", out)
    child = subprocess.Popen(
        [*command_line.COMMAND, *map(str, arguments)],
        env=command_line.around() | {"TMPDIR": str(place)},
        stderr=subprocess.PIPE,
    )
    seen = 0
    while seen < 3 and child.poll() is None:
        time.sleep(0.02)
        seen = seen + 1 if any(out.parent.glob(f".{out.name}.*.part")) else 0
    child.send_signal(signal.SIGSTOP)  # on a crowded machine it would be over before the next signal
    assert child.poll() is None, "it was over before it could be stopped"
    return child


def test_a_scoring_that_is_killed_leaves_the_old_file_and_the_next_one_cleans_up(place: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.parquet"
    out.write_bytes(b"yesterday's")
    with started(place, out) as child:
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    assert out.read_bytes() == b"yesterday's"
    assert command_line.run(*scoring(place, out)).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["scores.parquet"]


def test_a_scoring_that_is_stopped_by_hand_leaves_the_old_file_alone(place: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.parquet"
    out.write_bytes(b"yesterday's")
    with started(place, out) as child:
        child.send_signal(signal.SIGINT)
        child.send_signal(signal.SIGCONT)
        _, message = child.communicate()
    assert child.returncode == 130
    assert b"Traceback" not in message
    assert out.read_bytes() == b"yesterday's"
    assert [path.name for path in tmp_path.iterdir()] == ["scores.parquet"]


def test_score_resumes_from_the_last_run_and_prints_it(place: Path, tmp_path: Path) -> None:
    again = scoring(place, tmp_path / "s.parquet", "--since", tmp_path / "state", "--json")
    first = command_line.one_object(command_line.run(*again))["since"]
    assert (first["last"], first["why"]) == (None, "nothing was kept yet")
    second = command_line.one_object(command_line.run(*again))["since"]
    assert (second["last"], second["computed"], second["customers"]) == ("1998-07-01", 0, first["customers"])
    done = command_line.run(*again[:-1])
    assert "went on from 1998-07-01: 0 of " in done.stdout


def test_a_disk_that_is_full_leaves_no_scores_and_names_the_folder(place: Path, tmp_path: Path) -> None:
    arguments = scoring(place, tmp_path / "s.parquet", "--since", tmp_path / "state")
    kind, text = command_line.refusal(command_line.run(*arguments, largest_file=3_000))
    assert (kind, f"First: {tmp_path / 'state'}\n" in text) == ("CannotWrite", True)
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    assert not (tmp_path / "state" / "state.json").exists()


def test_going_on_is_not_for_spark(place: Path, tmp_path: Path) -> None:
    arguments = scoring(place, tmp_path / "s", "--since", tmp_path / "state", "--engine", "spark")
    kind, text = command_line.refusal(command_line.run(*arguments))
    assert (kind, "--since" in text) == ("BadInput", True)
    assert not list(tmp_path.iterdir())
