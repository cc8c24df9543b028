from __future__ import annotations

import contextlib
import functools
import itertools
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.serving.model_manager.conftest import named
from tests.serving.score_requests import customer, purchase, score_body
from tiercast.contract import errors
from tiercast.models import bundle_folder
from tiercast.serving.model_manager import cache, hot_reload, source
from tiercast.serving.model_manager.hot_reload import ModelManager
from tiercast.serving.model_manager.source import BundleSource, FolderSource
from tiercast.serving.online import scorer
from tiercast.serving.online.micro_batch import MicroBatcher
from tiercast.serving.online.requests import ScoreRequest
from tiercast.training.train import Trained

SECONDS = 30


def folder_source(folder: Path) -> BundleSource:
    return FolderSource(folder, cache.from_env("folders"))


@contextlib.contextmanager
def managed(folder: Path) -> Iterator[ModelManager]:
    running = ModelManager(folder_source(folder), scorer.load)
    running.start_watching()
    try:
        yield running
    finally:
        running.stop()


def served_name(running: ModelManager) -> str:
    return running.served.scorer.bundle.about.name


def soon(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + SECONDS
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_so()


def request(number: int) -> ScoreRequest:
    return ScoreRequest.model_validate_json(json.dumps(score_body(customer(f"c-{number}", purchase()))))


def all_received(received: dict[int, list[str]], model: str) -> bool:
    return all(model in models for models in received.values())


def test_a_reload_serves_what_the_folder_holds_now(folder: Path, trained: Trained) -> None:
    with managed(folder) as running:
        assert not running.reload().is_new
        bundle_folder.save(named(trained.bundle, "second"), folder)
        assert served_name(running) == "first"
        assert running.reload().is_new
        assert served_name(running) == "second"
        assert running.served.model == "second"
        assert running.served.manifest["about"]["name"] == "second"
        assert running.served.bundle.origin == f"folder {folder}"


def test_a_reload_under_load_fails_no_request(folder: Path, trained: Trained) -> None:
    received: dict[int, list[str]] = {number: [] for number in range(4)}
    with managed(folder) as running, contextlib.ExitStack() as stack:
        batcher = stack.enter_context(contextlib.closing(MicroBatcher(lambda: running.served.scorer, 2)))
        stop = threading.Event()

        def send(number: int) -> None:
            while not stop.is_set():
                received[number].append(json.loads(batcher.submit(request(number)).result(SECONDS).body)["model"])

        threads = [threading.Thread(target=send, args=(number,)) for number in received]
        for thread in threads:
            thread.start()
        assert soon(functools.partial(all_received, received, "first"))
        for model in ("second", "third", "fourth"):
            bundle_folder.save(named(trained.bundle, model), folder)
            assert running.reload().is_new
            assert soon(functools.partial(all_received, received, model))
        stop.set()
        for thread in threads:
            thread.join()
    for models in received.values():
        assert [model for model, _ in itertools.groupby(models)] == ["first", "second", "third", "fourth"]


@pytest.mark.parametrize("broken", ["scorecard.json", "manifest.json", "churn.txt"])
def test_a_broken_bundle_is_refused_and_the_old_one_goes_on(folder: Path, trained: Trained, broken: str) -> None:
    with managed(folder) as running:
        bundle_folder.save(named(trained.bundle, "second"), folder)
        (folder / broken).write_text('{"format": 99}')
        changed = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps(changed, indent=2))
        with pytest.raises(errors.BundleRefused) as refused:
            running.reload()
        assert refused.value.hint
        assert served_name(running) == "first"
        assert refused.value.what in running.state()
        shutil.rmtree(folder)
        bundle_folder.save(named(trained.bundle, "third"), folder)
        assert running.reload().is_new
        assert running.state().startswith("third, since ")
        assert "kept" not in running.state()


def test_a_reload_in_one_process_reaches_the_others(folder: Path, trained: Trained) -> None:
    with managed(folder) as one, managed(folder) as other:
        bundle_folder.save(named(trained.bundle, "second"), folder)
        one.reload()
        assert soon(lambda: served_name(other) == "second")


def test_a_folder_that_changed_is_not_served_before_a_reload(folder: Path, trained: Trained) -> None:
    with managed(folder) as running:
        bundle_folder.save(named(trained.bundle, "second"), folder)
        with managed(folder) as started_later:
            assert served_name(started_later) == "second"
            time.sleep(2 * hot_reload.FOLLOW_SECONDS)
            assert served_name(running) == "first"


def test_without_a_bundle_the_error_has_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (source.FOLDER, source.MODEL):
        monkeypatch.setenv(name, "")  # the service of other tests in this process names its own
    with pytest.raises(errors.BundleRefused, match="no readable bundle"):
        ModelManager(folder_source(tmp_path / "nothing"), scorer.load)
    with pytest.raises(errors.BadInput, match="bundle to serve"):
        source.from_env()


def test_the_wait_grows_with_failures_up_to_a_bound_and_is_never_quite_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5, 10, 20, ... 300 seconds, each up to a fifth more or less."""
    with managed(folder) as running:
        for failures, middle in ((1, 5.0), (2, 10.0), (3, 20.0), (7, 300.0), (50, 300.0)):
            monkeypatch.setattr(running, "_n_failures", failures)
            waits = [running._wait_seconds() for _ in range(20)]
            assert len(set(waits)) > 1
            assert all(0.8 * middle <= wait <= 1.2 * middle for wait in waits)
