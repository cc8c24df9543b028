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
from tests.serving.score_requests import asked, customer, purchase
from tiercast.contract import errors
from tiercast.models import bundle_folder
from tiercast.serving.model_manager import cache, hot_reload, loading, source
from tiercast.serving.model_manager.hot_reload import Keeper
from tiercast.serving.model_manager.source import Folder, Source
from tiercast.serving.online.micro_batch import Passes
from tiercast.serving.online.requests import ScoreRequest
from tiercast.training.train import Trained

SECONDS = 30


def of_folder(folder: Path) -> Source:
    return Folder(folder, cache.of("folders"))


@contextlib.contextmanager
def kept(folder: Path) -> Iterator[Keeper]:
    wanted = of_folder(folder)
    running = Keeper(wanted, loading.prepare, *hot_reload.start(wanted, loading.prepare))
    running.start_watching()
    try:
        yield running
    finally:
        running.stop()


def answering(running: Keeper) -> str:
    return running.served.online.bundle.about.name


def soon(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + SECONDS
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_so()


def request(number: int) -> ScoreRequest:
    return ScoreRequest.model_validate_json(json.dumps(asked(customer(f"c-{number}", purchase()))))


def everybody_got(answered: dict[int, list[str]], model: str) -> bool:
    return all(model in said for said in answered.values())


def test_a_reload_serves_what_the_folder_holds_now(folder: Path, trained: Trained) -> None:
    with kept(folder) as running:
        assert not running.reload().is_new
        bundle_folder.save(named(trained.bundle, "second"), folder)
        assert answering(running) == "first"
        assert running.reload().is_new
        assert answering(running) == "second"
        card = json.loads(running.served.card)
        assert card["model"] == "second"
        assert card["served"]["origin"] == f"folder {folder}"


def test_an_exchange_under_load_fails_no_request(folder: Path, trained: Trained) -> None:
    answered: dict[int, list[str]] = {number: [] for number in range(4)}
    with kept(folder) as running, contextlib.ExitStack() as stack:
        passes = stack.enter_context(contextlib.closing(Passes(lambda: running.served.online, 2)))
        stop = threading.Event()

        def ask(number: int) -> None:
            while not stop.is_set():
                answered[number].append(json.loads(passes.submit(request(number)).result(SECONDS).body)["model"])

        threads = [threading.Thread(target=ask, args=(number,)) for number in answered]
        for thread in threads:
            thread.start()
        assert soon(functools.partial(everybody_got, answered, "first"))
        for model in ("second", "third", "fourth"):
            bundle_folder.save(named(trained.bundle, model), folder)
            assert running.reload().is_new
            assert soon(functools.partial(everybody_got, answered, model))
        stop.set()
        for thread in threads:
            thread.join()
    for said in answered.values():
        assert [model for model, _ in itertools.groupby(said)] == ["first", "second", "third", "fourth"]


@pytest.mark.parametrize("broken", ["scorecard.json", "manifest.json", "churn.txt"])
def test_a_broken_bundle_is_refused_and_the_old_one_goes_on(folder: Path, trained: Trained, broken: str) -> None:
    with kept(folder) as running:
        bundle_folder.save(named(trained.bundle, "second"), folder)
        (folder / broken).write_text('{"format": 99}')
        changed = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps(changed, indent=2))
        with pytest.raises(errors.BundleRefused) as refused:
            running.reload()
        assert refused.value.hint
        assert answering(running) == "first"
        assert refused.value.what in running.state()
        shutil.rmtree(folder)
        bundle_folder.save(named(trained.bundle, "third"), folder)
        assert running.reload().is_new
        assert running.state().startswith("third, since ")
        assert "kept" not in running.state()


def test_a_reload_in_one_process_reaches_the_others(folder: Path, trained: Trained) -> None:
    with kept(folder) as one, kept(folder) as other:
        bundle_folder.save(named(trained.bundle, "second"), folder)
        one.reload()
        assert soon(lambda: answering(other) == "second")


def test_a_folder_that_changed_is_not_served_before_somebody_says_so(folder: Path, trained: Trained) -> None:
    with kept(folder) as running:
        bundle_folder.save(named(trained.bundle, "second"), folder)
        with kept(folder) as started_later:
            assert answering(started_later) == "second"
            time.sleep(2 * hot_reload.FOLLOW_SECONDS)
            assert answering(running) == "first"


def test_nothing_to_serve_is_said_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (source.FOLDER, source.MODEL):
        monkeypatch.setenv(name, "")  # the service of other tests in this process names its own
    with pytest.raises(errors.BundleRefused, match="no readable bundle"):
        hot_reload.start(of_folder(tmp_path / "nothing"), loading.prepare)
    with pytest.raises(errors.BadInput, match="which bundle to serve"):
        source.of_environment()


def test_the_wait_grows_with_failures_up_to_a_bound_and_is_never_quite_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5, 10, 20, ... 300 seconds, each up to a fifth more or less."""
    with kept(folder) as running:
        for failures, middle in ((1, 5.0), (2, 10.0), (3, 20.0), (7, 300.0), (50, 300.0)):
            monkeypatch.setattr(running, "_failures", failures)
            waits = [running._wait() for _ in range(20)]
            assert len(set(waits)) > 1
            assert all(0.8 * middle <= wait <= 1.2 * middle for wait in waits)
