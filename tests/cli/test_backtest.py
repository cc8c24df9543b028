from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.entities import Run
from pyarrow import parquet

from tests import command_line, small_backtest
from tests.small_backtest import CONFIG, DATES, REQUESTED
from tiercast.training.evaluation.scorecard import CHURN_MEASURES
from tiercast.training.tracking import log_backtest, log_run, lookup, store

pytestmark = pytest.mark.slow
FIRST = [f"{DATES[0]}{end}" for end in (".json", ".parquet")]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with orders.parquet and tiercast.toml."""
    small_backtest.write(tmp_path)
    (tmp_path / "tiercast.toml").write_text(CONFIG, encoding="ascii")
    return tmp_path


def arguments(place: Path, out: str, *more: object) -> tuple[object, ...]:
    dates = ("--from", REQUESTED.first, "--to", REQUESTED.last, "--every", REQUESTED.every)
    given = ("--config", place / "tiercast.toml", "--out", place / out)
    return ("backtest", place / "orders.parquet", *dates, *given, *more)


def state(place: Path) -> dict[str, tuple[int, bytes]]:
    return {name: ((place / name).stat().st_mtime_ns, (place / name).read_bytes()) for name in FIRST}


def killed_after_the_first_date(place: Path) -> dict[str, tuple[int, bytes]]:
    """A real backtest, killed as soon as its first date is there and its second is not; the state of the first."""
    out = place / "killed"
    child = subprocess.Popen(
        [*command_line.COMMAND, *map(str, arguments(place, "killed", "--no-mlflow"))], env=command_line.around()
    )
    while not (out / FIRST[0]).exists() and child.poll() is None:
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL, "it was over before it could be killed"
    assert not (out / f"{DATES[2]}.json").exists()
    assert not (out / "summary.json").exists()
    return state(out)


def test_a_killed_backtest_resumes_with_the_same_result(place: Path) -> None:
    first = killed_after_the_first_date(place)
    finished = command_line.one_object(command_line.run(*arguments(place, "killed", "--no-mlflow", "--json")))
    assert finished["dates_taken_from_out"] >= 1
    assert state(place / "killed") == first, "neither bytes nor time of the finished date have changed"
    whole = small_backtest.run(place, place / "orders.parquet", name="whole")
    assert whole.n_kept == 0
    summaries = [(place / name / "summary.json").read_bytes() for name in ("killed", "whole")]
    assert summaries[0] == summaries[1]
    for day in DATES:
        tables = [parquet.read_table(place / name / f"{day}.parquet") for name in ("killed", "whole")]
        assert tables[0].equals(tables[1])
    assert not [path for path in (place / "killed").iterdir() if path.name.startswith(".")]


def children(run_id: str) -> list[Run]:
    result = mlflow.MlflowClient().search_runs([store.experiment_id()], f"tags.`mlflow.parentRunId` = '{run_id}'")
    return sorted(result, key=lambda run: str(run.info.run_name))


def artifacts(run_id: str) -> set[str]:
    client = mlflow.MlflowClient()
    return {item.path for folder in ("", "figures") for item in client.list_artifacts(run_id, folder)}


def test_mlflow_holds_one_run_with_curves_and_a_child_per_date(place: Path, mlruns: Path) -> None:
    store.connect()
    first = command_line.one_object(command_line.run(*arguments(place, "out", "--json"), cwd=place))
    run = mlflow.get_run(first["run"])
    assert run.data.tags[log_run.KIND] == log_backtest.STUDY
    assert (run.data.params["every"], run.data.params["n_judged"]) == ("120d", "3")
    curves(run, first)
    result = children(first["run"])
    assert [each.info.run_name for each in result] == [f"backtest {day}" for day in DATES]
    assert {each.data.tags[log_run.KIND] for each in result} == {log_backtest.DATE}
    names = {f"churn_{name}" for name in CHURN_MEASURES} | {"baseline/recency/churn_auc", "value_above_low"}
    assert names <= set(result[0].data.metrics)
    assert {"figures/churn_auc.png", "figures/value_above.png", "figures/bands.png", "summary.json"} <= artifacts(
        first["run"]
    )
    assert lookup.trainings(10) == [], "a backtest is no training"
    check_no_customer_is_logged(place, mlruns)
    again = command_line.run(*arguments(place, "out"), cwd=place)
    assert f"3 of 3 dates judged, 3 finished before: {place / 'out'}, run {first['run']}" in again.stdout
    assert "Each tier's promise" in again.stdout


def curves(run: Run, summary: dict[str, Any]) -> None:
    """A point per date, the step in days since the first, the time the date itself, the closed form beside it."""
    for name, model in (("churn_auc", "tiercast"), ("baseline/btyd/churn_auc", "btyd")):
        history = mlflow.MlflowClient().get_metric_history(run.info.run_id, name)
        assert [point.step for point in history] == [0, 120, 240]
        assert history[0].timestamp == 870393600000  # 1997-08-01T00:00Z
        expected = [each["card"]["churn"]["models"][model]["auc"]["value"] for each in summary["dates"]]
        assert [point.value for point in history] == expected


def check_no_customer_is_logged(place: Path, mlruns: Path) -> None:
    ids = set(parquet.read_table(place / "out" / FIRST[1])["customer_id"].to_pylist())
    texts = [path.read_text(encoding="utf-8") for path in mlruns.rglob("*.json")]
    assert texts
    assert not any(f'"{one}"' in text for one in ids for text in texts)
    assert not list(mlruns.rglob("*.parquet"))


def test_refusals_have_the_command_to_type(place: Path) -> None:
    for wrong, kind, words in (
        (("--every", "soon"), "BadInput", "--every 30d"),
        (("--from", "1998-06-01", "--to", "1998-06-30"), "NotEnoughData", "--to 1998-05-02 or earlier"),
    ):
        result, message = command_line.refusal(command_line.run(*arguments(place, "no", "--no-mlflow", *wrong)))
        assert (result, words in message) == (kind, True), message


def test_results_among_the_data_are_refused(place: Path) -> None:
    (place / "data").mkdir()
    (place / "orders.parquet").rename(place / "data" / "orders.parquet")
    command = ("backtest", place / "data", *arguments(place, "data/results", "--no-mlflow")[2:])
    kind, message = command_line.refusal(command_line.run(*command))
    assert kind == "CannotWrite"
    assert "--out" in message
