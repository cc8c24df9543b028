"""A bundle from the registry: fetched once, kept, followed, and served on without it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serving.model_manager.test_hot_reload import served_name, soon
from tiercast.contract import errors
from tiercast.models import bundle_folder
from tiercast.serving.model_manager import cache, source
from tiercast.serving.model_manager.hot_reload import ModelManager
from tiercast.serving.model_manager.source import RegistrySource
from tiercast.serving.online import scorer

Register = Callable[[str], str]


def champion() -> RegistrySource:
    return RegistrySource("champion", cache.from_env())


def test_a_fetched_bundle_is_served_while_the_registry_is_down(registered: Register, mlruns: Path) -> None:
    registered("first")
    assert ModelManager(champion(), scorer.load).failure is None
    (mlruns / "mlflow.db").rename(mlruns / "away.db")
    running = ModelManager(champion(), scorer.load)
    assert served_name(running) == "first"
    assert "no MLflow store" in running.state()
    with pytest.raises(errors.BadInput):
        running.reload()
    assert served_name(running) == "first"
    (mlruns / "away.db").rename(mlruns / "mlflow.db")
    assert not running.reload().is_new
    assert "no MLflow store" not in running.state()
    running.stop()


def test_without_registry_and_cache_the_start_names_what_is_missing(mlruns: Path) -> None:
    (mlruns / "mlflow.db").unlink()
    with pytest.raises(errors.BadInput, match="no MLflow store") as missing:
        ModelManager(champion(), scorer.load)
    assert missing.value.hint


def test_a_watched_alias_is_followed(registered: Register) -> None:
    registered("first")
    running = ModelManager(champion(), scorer.load, poll_seconds=0.2)
    running.start_watching()
    registered("second")
    assert soon(lambda: served_name(running) == "second")
    running.stop()
    assert served_name(ModelManager(champion(), scorer.load)) == "second"


def test_a_corrupt_version_is_refused_and_never_enters_the_cache(registered: Register, tmp_path: Path) -> None:
    registered("first")
    running = ModelManager(champion(), scorer.load)
    registered("second")
    (torn,) = (tmp_path / "logged-second").rglob("scorecard.json")
    torn.write_text("{}")
    with pytest.raises(errors.BundleRefused, match="not what the manifest says"):
        running.reload()
    assert served_name(running) == "first"
    cached = champion().cached()
    assert cached is not None
    assert bundle_folder.load(cached.folder).about.name == "first"
    assert len([path for path in cache.from_env().folder.iterdir() if path.is_dir()]) == 1
    running.stop()


def test_a_cache_of_another_registry_is_not_looked_at(registered: Register) -> None:
    registered("first")
    ModelManager(champion(), scorer.load)
    assert RegistrySource("champion", cache.from_env("http://127.0.0.1:1")).cached() is None


@pytest.mark.parametrize("wanted", ["../champion", "a/b", "", "."])
def test_a_name_that_is_a_path_is_refused(wanted: str) -> None:
    with pytest.raises(errors.BadInput, match="neither an alias nor a version"):
        cache.from_env().read_pointer(wanted)


def test_only_a_few_old_bundles_are_kept(registered: Register) -> None:
    for number in range(cache.KEPT + 3):
        registered(f"model-{number}")
        result = champion().latest()
        champion().select(result)
    folders = [path for path in cache.from_env().folder.iterdir() if path.is_dir()]
    assert len(folders) == cache.KEPT + 1
    assert result.folder in folders


AGAIN_AND_AGAIN = """
import shutil, sys
from tiercast.serving.model_manager import cache
from tiercast.serving.model_manager.source import RegistrySource
sources = [RegistrySource(wanted, cache.from_env()) for wanted in sys.argv[1:]]
follow = RegistrySource("champion", cache.from_env())
print("ready", flush=True)
while True:
    for source in sources:
        found = source.latest()
        follow.select(found)
        print("chosen", flush=True)
        for other in cache.from_env().folder.iterdir():
            if other.is_dir() and other != found.folder:
                shutil.rmtree(other)
"""


@pytest.mark.slow
def test_a_process_killed_while_it_reloads_leaves_a_cache_that_can_be_served(registered: Register) -> None:
    versions = [registered("first"), registered("second")]
    for pause in (0.0, 0.03, 0.11, 0.23):
        worker = subprocess.Popen(
            [sys.executable, "-c", AGAIN_AND_AGAIN, *versions], stdout=subprocess.PIPE, text=True, env=os.environ
        )
        assert worker.stdout is not None
        for line in worker.stdout:
            if line == "chosen\n":
                break
        time.sleep(pause)
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
        cached = champion().cached()
        assert cached is not None
        assert bundle_folder.load(cached.folder).about.name in ("first", "second")
        assert source.digest(cached.folder) == cached.digest
        running = ModelManager(champion(), scorer.load)
        assert (served_name(running), running.failure) == ("second", None)
