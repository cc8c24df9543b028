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

from tests.serving.model_manager.test_hot_reload import answering, soon
from tiercast.contract import errors
from tiercast.models import bundle_folder
from tiercast.serving.model_manager import cache, hot_reload, loading, source
from tiercast.serving.model_manager.hot_reload import Keeper
from tiercast.serving.model_manager.source import Registered

Register = Callable[[str], str]


def champion() -> Registered:
    return Registered("champion", cache.of())


def test_what_was_fetched_once_is_served_while_the_registry_is_away(registered: Register, mlruns: Path) -> None:
    registered("first")
    assert hot_reload.start(champion(), loading.prepare)[1] is None
    (mlruns / "mlflow.db").rename(mlruns / "away.db")
    running = Keeper(champion(), loading.prepare, *hot_reload.start(champion(), loading.prepare))
    assert answering(running) == "first"
    assert "no MLflow store" in running.state()
    with pytest.raises(errors.BadInput):
        running.reload()
    assert answering(running) == "first"
    (mlruns / "away.db").rename(mlruns / "mlflow.db")
    assert not running.reload().is_new
    assert "no MLflow store" not in running.state()
    running.stop()


def test_without_registry_and_cache_the_start_says_what_is_missing(mlruns: Path) -> None:
    (mlruns / "mlflow.db").unlink()
    with pytest.raises(errors.BadInput, match="no MLflow store") as missing:
        hot_reload.start(champion(), loading.prepare)
    assert missing.value.hint


def test_a_watched_alias_is_followed(registered: Register) -> None:
    registered("first")
    running = Keeper(champion(), loading.prepare, *hot_reload.start(champion(), loading.prepare), every=0.2)
    running.start_watching()
    registered("second")
    assert soon(lambda: answering(running) == "second")
    running.stop()
    assert answering(Keeper(champion(), loading.prepare, *hot_reload.start(champion(), loading.prepare))) == "second"


def test_a_corrupt_version_is_refused_and_never_enters_the_cache(registered: Register, tmp_path: Path) -> None:
    registered("first")
    running = Keeper(champion(), loading.prepare, *hot_reload.start(champion(), loading.prepare))
    registered("second")
    (torn,) = (tmp_path / "logged-second").rglob("scorecard.json")
    torn.write_text("{}")
    with pytest.raises(errors.BundleRefused, match="not what the manifest says"):
        running.reload()
    assert answering(running) == "first"
    here = champion().here()
    assert here is not None
    assert bundle_folder.load(here.folder).about.name == "first"
    assert len([path for path in cache.of().folder.iterdir() if path.is_dir()]) == 1
    running.stop()


def test_a_cache_of_another_registry_is_not_looked_at(registered: Register) -> None:
    registered("first")
    hot_reload.start(champion(), loading.prepare)
    assert Registered("champion", cache.of("http://127.0.0.1:1")).here() is None


@pytest.mark.parametrize("wanted", ["../champion", "a/b", "", "."])
def test_a_name_that_is_a_path_is_refused(wanted: str) -> None:
    with pytest.raises(errors.BadInput, match="neither an alias nor a version"):
        cache.of().read(wanted)


def test_only_a_few_old_bundles_are_kept(registered: Register) -> None:
    for number in range(cache.KEPT + 3):
        registered(f"model-{number}")
        found = champion().ask()
        champion().choose(found)
    folders = [path for path in cache.of().folder.iterdir() if path.is_dir()]
    assert len(folders) == cache.KEPT + 1
    assert found.folder in folders


AGAIN_AND_AGAIN = """
import shutil, sys
from tiercast.serving.model_manager import cache
from tiercast.serving.model_manager.source import Registered
sources = [Registered(wanted, cache.of()) for wanted in sys.argv[1:]]
follow = Registered("champion", cache.of())
print("ready", flush=True)
while True:
    for source in sources:
        found = source.ask()
        follow.choose(found)
        print("chosen", flush=True)
        for other in cache.of().folder.iterdir():
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
        here = champion().here()
        assert here is not None
        assert bundle_folder.load(here.folder).about.name in ("first", "second")
        assert source.mark(here.folder) == here.mark
        served, trouble = hot_reload.start(champion(), loading.prepare)
        assert (served.online.bundle.about.name, trouble) == ("second", None)
