"""`tiercast publish` and `tiercast generations` as a job starts them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import command_line
from tests.serving.store import drawn_scores
from tests.serving.store.drawn_scores import JULY


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """June and July published into `scores.db`."""
    place = tmp_path_factory.mktemp("published")
    drawn_scores.write(place / "june.parquet")
    drawn_scores.write(place / "july.parquet", seed=2, as_of=JULY)
    for name in ("june", "july"):
        done = command_line.run("publish", f"{name}.parquet", "--store", "scores.db", cwd=place)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return place


def test_publish_prints_the_served_generation_and_the_list_has_both(folder: Path) -> None:
    again = command_line.run("publish", "july.parquet", "--store", "scores.db", cwd=folder)
    assert again.stdout == "nothing to do: this file is served already, generation 2, " + (
        "300 customers as of 2024-07-01, model tiercast/2/abc\n"
    )
    result = command_line.one_object(command_line.run("generations", "--store", "scores.db", "--json", cwd=folder))
    assert [(each["id"], each["is_current"]) for each in result["generations"]] == [(2, True), (1, False)]


def test_a_rollback_is_printed_and_can_be_undone(folder: Path) -> None:
    back = command_line.run("generations", "--store", "scores.db", "--rollback", cwd=folder)
    assert back.stdout.splitlines()[-1].startswith("served: generation 1, 300 customers as of 2024-06-01")
    forth = command_line.run("generations", "--store", "scores.db", "--rollback", "--to", 2, cwd=folder)
    assert forth.stdout.splitlines()[-1].startswith("served: generation 2")


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (("publish", "june.parquet", "--store", "scores.db"), "BadInput"),
        (("publish", "gone.parquet", "--store", "scores.db"), "SourceUnreadable"),
        (("publish", "june.parquet"), "BadInput"),
        (("generations", "--store", "gone.db"), "SourceUnreadable"),
        (("generations", "--store", "scores.db", "--to", 1), "BadInput"),
        (("generations", "--store", "scores.db", "--rollback", "--to", 9), "GenerationGone"),
    ],
)
def test_what_cannot_be_is_refused_in_four_parts(folder: Path, arguments: tuple[object, ...], kind: str) -> None:
    assert command_line.refusal(command_line.run(*arguments, cwd=folder))[0] == kind
