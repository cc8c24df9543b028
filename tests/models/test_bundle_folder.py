from __future__ import annotations

import json
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests import command_line
from tiercast.contract import errors, files
from tiercast.models import bundle_folder, predict
from tiercast.models.bundle import Bundle
from tiercast.models.stack import Stack
from tiercast.training.train import Trained

FILES = {"manifest.json", "model.json", "scorecard.json", "churn.txt", "value.txt"}


@pytest.fixture
def saved(trained: Trained, tmp_path: Path) -> Path:
    """A bundle of its own for each test, to be damaged."""
    folder = tmp_path / "place" / "bundle"
    bundle_folder.save(trained.bundle, folder)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def edit(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    changed = change(data)
    path.write_text(json.dumps(data if changed is None else changed), encoding="utf-8")


def refusal(folder: Path) -> errors.BundleRefused:
    with pytest.raises(errors.BundleRefused) as caught:
        bundle_folder.load(folder)
    assert caught.value.what
    assert caught.value.first
    assert caught.value.hint
    return caught.value


def test_what_is_loaded_predicts_what_was_saved_to_the_last_bit(trained: Trained, saved: Path) -> None:
    loaded = bundle_folder.load(saved)
    frame = {name: trained.final.now.frame[name] for name in trained.bundle.spec.names}
    before, after = predict.predict(trained.bundle, frame), predict.predict(loaded, frame)
    for name in ("p_churn", "value", "clv", "tiers"):
        assert np.array_equal(getattr(before, name), getattr(after, name)), name
    for one, other in zip(before.certainty, after.certainty, strict=True):
        assert np.array_equal(one, other)
    assert (loaded.about, loaded.spec, loaded.cuts) == (trained.bundle.about, trained.bundle.spec, trained.bundle.cuts)


def test_every_number_of_both_models_is_kept(trained: Trained, tmp_path: Path) -> None:
    """Each is set to something of its own, so that none can be left out unseen."""
    learned = trained.bundle.value.stack
    assert learned.linear is not None
    assert learned.trees is not None
    assert learned.days != trained.bundle.churn.stack.days
    value = trained.bundle.value._replace(stack=learned._replace(weights=(0.2, 0.3, 0.5)), level=1.7)
    churn = trained.bundle.churn._replace(shift=0.43)
    bundle_folder.save(trained.bundle._replace(value=value, churn=churn), tmp_path / "bundle")
    loaded = bundle_folder.load(tmp_path / "bundle")
    assert (loaded.value, loaded.churn) == (value, churn)


def test_a_bundle_of_closed_forms_alone_is_kept_too(trained: Trained, tmp_path: Path) -> None:
    plain = trained.bundle._replace(
        churn=trained.bundle.churn._replace(stack=Stack(90.0)), value=trained.bundle.value._replace(stack=Stack(120.0))
    )
    bundle_folder.save(plain, tmp_path / "bundle")
    loaded = bundle_folder.load(tmp_path / "bundle")
    assert (loaded.churn.stack, loaded.value.stack) == (Stack(90.0), Stack(120.0))
    assert {path.name for path in (tmp_path / "bundle").iterdir()} == FILES - {"churn.txt", "value.txt"}


def test_a_loaded_bundle_saves_to_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    bundle_folder.save(bundle_folder.load(saved), tmp_path / "again")
    assert content(tmp_path / "again") == content(saved)


def test_a_bundle_holds_json_and_text_and_nothing_that_can_run(saved: Path) -> None:
    assert set(content(saved)) == FILES
    for name, data in content(saved).items():
        text = data.decode("utf-8")
        assert text.startswith("{" if name.endswith(".json") else "tree\n"), name
        assert b"\x80\x04" not in data, "a pickle begins like this"
    assert not any(path.stat().st_mode & 0o111 for path in saved.iterdir())


@pytest.mark.parametrize("name", sorted(FILES - {"manifest.json"}))
def test_a_file_with_one_more_byte_is_refused_by_name(saved: Path, name: str) -> None:
    (saved / name).write_bytes((saved / name).read_bytes() + b" ")
    assert name in str(refusal(saved).first)


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_missing_file_is_refused_by_name(saved: Path, name: str) -> None:
    (saved / name).unlink()
    assert name in str(refusal(saved).first)


def test_a_file_that_the_manifest_does_not_list_is_not_believed(saved: Path) -> None:
    edit(saved / "manifest.json", lambda data: {**data, "files": {}})
    assert "model.json" in str(refusal(saved).first)


def test_an_unknown_format_is_refused_with_both_numbers(saved: Path) -> None:
    edit(saved / "manifest.json", lambda data: {**data, "format": 99})
    assert "99" in refusal(saved).what


@pytest.mark.parametrize(
    "manifest",
    [
        "",
        "{",
        "[]",
        "null",
        "3",
        '{"format": 1}',
        '{"format": 1, "files": []}',
        '{"format": 1, "files": {}, "about": 3}',
    ],
)
def test_a_manifest_that_is_none_is_refused(saved: Path, manifest: str) -> None:
    (saved / "manifest.json").write_text(manifest, encoding="utf-8")
    refusal(saved)


def with_right_hash(folder: Path, name: str) -> None:
    """The manifest says what the file is: only the content is wrong."""
    digest = files.sha256(folder / name)
    edit(folder / "manifest.json", lambda data: {**data, "files": {**data["files"], name: digest}})  # type: ignore[dict-item]


@pytest.mark.parametrize("key", ["features", "orders", "churn", "value", "intervals", "cuts"])
def test_a_model_without_one_of_its_parts_is_refused(saved: Path, key: str) -> None:
    edit(saved / "model.json", lambda data: {name: part for name, part in data.items() if name != key})
    with_right_hash(saved, "model.json")
    refusal(saved)


def test_a_place_without_a_bundle_is_refused(tmp_path: Path) -> None:
    refusal(tmp_path)
    refusal(tmp_path / "nowhere")
    (tmp_path / "file").write_text("text", encoding="ascii")
    refusal(tmp_path / "file")


@pytest.mark.parametrize(
    "files",
    [
        {"thesis.txt": "ten years"},
        {"manifest.json": '{"name": "a web page", "icons": []}', "index.html": "<p>"},
        {"manifest.json": '{"files": ["thesis.txt"]}', "thesis.txt": "ten years"},
    ],
)
def test_saving_over_a_foreign_folder_is_refused_and_leaves_it_as_it_was(
    trained: Trained, tmp_path: Path, files: dict[str, str]
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    before = content(tmp_path)
    for attempt in (lambda: bundle_folder.check(folder), lambda: bundle_folder.save(trained.bundle, folder)):
        with pytest.raises(errors.CannotWrite) as caught:
            attempt()
        assert str(folder) in str(caught.value.first)
        assert content(tmp_path) == before


def test_a_bundle_in_which_somebody_keeps_notes_is_not_replaced(trained: Trained, saved: Path) -> None:
    (saved / "notes.md").write_text("why we chose 90 days", encoding="ascii")
    before = content(saved)
    with pytest.raises(errors.CannotWrite):
        bundle_folder.save(trained.bundle, saved)
    assert content(saved) == before


def test_an_older_bundle_and_an_empty_folder_are_replaced(trained: Trained, saved: Path, tmp_path: Path) -> None:
    newer = trained.bundle._replace(about=trained.bundle.about._replace(currency="EUR"))
    (tmp_path / "empty").mkdir()
    for folder in (saved, tmp_path / "empty"):
        bundle_folder.save(newer, folder)
        assert bundle_folder.load(folder).about.currency == "EUR"
    assert [path.name for path in saved.parent.iterdir()] == ["bundle"], "nothing is left beside it"


def test_a_save_that_fails_leaves_the_old_bundle_and_nothing_else(trained: Trained, saved: Path) -> None:
    before = content(saved.parent)
    broken = trained.bundle._replace(scorecard={"not for JSON": object()})
    with pytest.raises(TypeError):
        bundle_folder.save(broken, saved)
    assert content(saved.parent) == before


KILLED = """
import pathlib, sys, time
from tiercast.models import bundle_folder

class Slow(dict):
    def items(self):
        print("half", flush=True)
        time.sleep(60)
        return super().items()

folder = pathlib.Path(sys.argv[1])
bundle = bundle_folder.load(folder)
bundle_folder.save(bundle._replace(scorecard=Slow(a=1)), folder)
"""


def test_a_save_that_is_killed_leaves_the_old_bundle(saved: Path) -> None:
    before = content(saved)
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(saved)], env=command_line.around(), stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"half\n"
        child.send_signal(signal.SIGKILL)
    assert content(saved) == before
    bundle_folder.load(saved)


FULL = """
import pathlib, sys
from tiercast.contract import errors
from tiercast.models import bundle_folder

folder = pathlib.Path(sys.argv[1])
bundle = bundle_folder.load(folder)
try:
    bundle_folder.save(bundle, folder)
except errors.CannotWrite as error:
    print(error)
"""


def test_a_full_disk_is_reported_and_leaves_the_old_bundle_and_nothing_else(saved: Path) -> None:
    before = content(saved.parent)
    answer = subprocess.run(
        [sys.executable, "-c", FULL, str(saved)],
        env=command_line.around() | {"PYTHONDONTWRITEBYTECODE": "1"},  # Python would keep what was cut off
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
    )
    assert "CannotWrite: the bundle cannot be written: file too large" in answer.stdout
    assert content(saved.parent) == before


FORBIDDEN = """
import os, pathlib, sys
from tiercast.contract import errors
from tiercast.models import bundle_folder

if os.getuid() == 0:  # root may write anywhere: become nobody
    os.setgid(65534)
    os.setuid(65534)
try:
    bundle_folder.check(pathlib.Path(sys.argv[1]))
except errors.CannotWrite as error:
    print(error)
"""


def test_a_place_without_permission_is_refused_before_any_work(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    asked = [sys.executable, "-c", FORBIDDEN, str(closed / "bundle")]
    answer = subprocess.run(asked, env=command_line.around(), capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("CannotWrite: "), answer.stdout


def test_a_copied_bundle_is_the_same_bundle(trained: Trained, saved: Path, tmp_path: Path) -> None:
    shutil.copytree(saved, tmp_path / "copy")
    copied: Bundle = bundle_folder.load(tmp_path / "copy")
    assert copied.about == trained.bundle.about


def test_a_missing_bundle_is_named_once_and_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(errors.BundleRefused, match="there is no readable bundle") as refused:
        bundle_folder.load(tmp_path / "nowhere")
    assert refused.value.first == f"{tmp_path / 'nowhere' / 'manifest.json'}: no such file or directory"
