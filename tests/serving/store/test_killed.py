"""A publish killed with SIGKILL, wherever it is, changes nothing that anybody sees; the next one cleans up."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from tests import command_line
from tests.serving.store import drawn_scores
from tests.serving.store.drawn_scores import JULY
from tiercast.serving.store import generations, publish, queries, tables

SCRIPT = """
import os, signal, sys
from tiercast.serving.store import generations, publish, tables
from tiercast.serving.store import database

where, url, path = sys.argv[1:]
publish.SLICE = 32

def die():
    os.kill(os.getpid(), signal.SIGKILL)

if where == "in the switch":
    point = generations.switch_to
    generations.switch_to = lambda connection, target: (point(connection, target), die())

if where == "in the pruning":
    generations.prune = lambda engine, keep: die()

publish.publish(database.open(url), path, on_step=lambda step: die() if step.startswith(where) else None)
"""
PLACES = ("160 of", "in the switch", "in the pruning")


@pytest.mark.parametrize("where", PLACES)
def test_a_killed_publish_leaves_an_old_or_a_new_generation_and_the_next_one_cleans_up(
    url: str, store: Engine, tmp_path: Path, where: str
) -> None:
    june = drawn_scores.write(tmp_path / "june.parquet")
    july = drawn_scores.write(tmp_path / "july.parquet", seed=2, as_of=JULY)
    before = publish.publish(store, june).generation
    asked = [sys.executable, "-c", SCRIPT, where, url, july]
    killed = subprocess.run(asked, env=command_line.around(), capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    is_switched = where == "in the pruning"
    served = queries.lookup(store, ["c-0001"])
    assert (served.generation == before) is not is_switched
    assert served.generation.n_customers == 300

    done = publish.publish(store, july)
    assert done.is_new is not is_switched
    assert len(done.swept) == (0 if is_switched else 1)
    assert generations.current(store).as_of == JULY
    kept = {f"scores_{each.id}" for each in generations.ready(store)}
    assert {name for name in sa.inspect(store).get_table_names() if name.startswith("scores_")} == kept
    with store.connect() as connection:
        assert set(connection.scalars(sa.select(tables.generations.c.state))) == {tables.READY}
