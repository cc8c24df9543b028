"""What every test may ask for: a quiet environment, an empty MLflow, and honesty about skips."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests import postgres_server

if TYPE_CHECKING:
    from tiercast.training.tracking.log_run import LoggedRun
    from tiercast.training.train import Trained

# Before anything imports a vendor: no telemetry, no artifact that executes, one core for each of the two workers.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["BENTOML_DO_NOT_TRACK"] = "True"
os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
os.environ.setdefault("MPLBACKEND", "Agg")
# What is compiled is kept for the next process, also where the environment forbids it: a server that compiles all its
# libraries anew takes three times as long to start, a command five times.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ["PYTHONPYCACHEPREFIX"] = str(Path(__file__).resolve().parents[1] / ".pytest_cache" / "bytecode")
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# Two shared cores make any deadline a coin toss. In CI the examples are the same in every run.
settings.register_profile("by_hand", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "by_hand")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a running PostgreSQL server.

    Its files do not lie among pytest's: the server may run as another user, and each pytest that starts closes the
    folder above all of them to everybody else.
    """
    with (
        tempfile.TemporaryDirectory(prefix="tiercast-postgres-") as folder,
        postgres_server.server(Path(folder)) as address,
    ):
        yield address


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    """The address of an empty PostgreSQL database of the test's own."""
    with postgres_server.database(postgres) as address:
        yield address


@pytest.fixture(scope="session")
def migrated_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database with all its tables: made once, since the migrations take seconds."""
    from mlflow import MlflowClient

    folder = tmp_path_factory.mktemp("mlflow_template")
    database = folder / "mlflow.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # the Default experiment remembers the folder in which the database was made
        MlflowClient(tracking_uri=f"sqlite:///{database}").search_experiments()
    return database


@pytest.fixture
def mlruns(migrated_mlflow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder `mlruns` of this test alone, holding an empty `mlflow.db`, to which MLflow points meanwhile."""
    import mlflow

    folder = tmp_path / "mlruns"
    folder.mkdir()
    shutil.copyfile(migrated_mlflow, folder / "mlflow.db")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv(
        "MLFLOW_EXPERIMENT_ID", ""
    )  # so that the end of the test forgets what set_experiment writes here
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID")
    # MLflow keeps the address and the experiment last set for the whole process; another test's mean nothing here.
    monkeypatch.setattr("mlflow.tracking._tracking_service.utils._tracking_uri", None)
    monkeypatch.setattr("mlflow.tracking.fluent._active_experiment_id", None)
    mlflow.set_tracking_uri(uri)
    yield folder
    while mlflow.active_run() is not None:
        mlflow.end_run()


@pytest.fixture
def tracking_uri(mlruns: Path) -> str:
    """The address of this test's own MLflow database."""
    return f"sqlite:///{mlruns / 'mlflow.db'}"


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A small but real training on CDNOW, done once: see `tests.small_training`."""
    from tests import small_training

    return small_training.run(tmp_path_factory.mktemp("small_training"))


@pytest.fixture(scope="session")
def written(
    migrated_mlflow: Path, trained: Trained, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, LoggedRun]:
    """A folder whose `mlruns` has the small training as version 1 of `tiercast`, and its `bundle`. Only to be read."""
    from tiercast.training.tracking import log_run, store

    folder = tmp_path_factory.mktemp("written")
    (folder / "mlruns").mkdir()
    shutil.copyfile(migrated_mlflow, folder / "mlruns" / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", "")  # so that whatever MLflow writes there is gone afterwards
        patch.delenv("MLFLOW_TRACKING_URI")
        store.connect(folder)
        logged = log_run.log(trained, folder / "bundle", register=True, extra={"data_rows": 4321})
    return folder, logged


class SkipsFail:
    """In CI a skipped test fails the run: what nobody ran, nobody checked. `may_skip` is the way out, with a reason."""

    def __init__(self) -> None:
        self.skipped: dict[str, str] = {}

    def note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail") and "may_skip" not in getattr(report, "keywords", {}):
            why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self.skipped[report.nodeid] = why

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.note(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.skipped:
            terminalreporter.section("skipped in CI, which is a failure", red=True)
            for test, why in sorted(self.skipped.items()):
                terminalreporter.line(f"{test}: {why}")


def pytest_configure(config: pytest.Config) -> None:
    is_worker = hasattr(config, "workerinput")
    if os.environ.get("CI") == "true" and not is_worker:
        config.pluginmanager.register(SkipsFail())
