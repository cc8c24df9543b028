"""What a run goes on from saves work and changes nothing: the bytes are those of a run over everything."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import compute, parquet

from contract import errors
from features import parts
from features.engines.duckdb import Engine
from features.reading import Sources
from features.spec import Attribute, FeatureSpec
from models import bundle_folder
from models.bundle import Bundle
from serving import batch, state_folder
from serving.since import Since
from tests import command_line, scored_tables
from tests.spark import shop
from training.train import Trained

FIRST = dt.date(1998, 4, 1)
DAYS = tuple(FIRST + dt.timedelta(days) for days in (0, 1, 2, 9, 90))
SHOP_SPEC = FeatureSpec(
    windows=(30, 60, 90, 180, 365),
    season_days=90,
    columns=("product_id", "category", "channel", "quantity", "margin"),
    attributes=(Attribute("age", "number"), Attribute("city", "label", ("007", "Oslo", "北京"))),
    has_joined_on=True,
    contact_kinds=("visit", "complaint", "campaign"),
    contact_columns=("score", "minutes"),
)


class Killed(BaseException):
    """What ends a run in the middle, here inside the process."""


@pytest.fixture(scope="module")
def bundle(trained: Trained) -> Bundle:
    """The small bundle, as if it were of the first of the days: what it learned does not matter here."""
    return as_of(trained.bundle, FIRST)


@pytest.fixture
def source(tmp_path: Path) -> str:
    (tmp_path / "in").mkdir()
    return scored_tables.write(tmp_path / "in", scored_tables.purchases(40))


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small base in some three parts, one more of them later."""
    monkeypatch.setattr(parts, "ROWS_PER_PART", 400)


def as_of(bundle: Bundle, day: dt.date) -> Bundle:
    return bundle._replace(about=bundle.about._replace(as_of=day))


def score(bundle: Bundle, sources: Sources | str, day: dt.date, out: Path, state: Path | None, **how: Any) -> Since:
    where = sources if isinstance(sources, Sources) else Sources(sources)
    with Engine(threads=2) as engine:
        said = batch.score_all(engine, bundle, where, day, out, since=state, **how).since
    return said or Since(None, 0, 0, 0, "not asked for")


def assert_same_as_all(bundle: Bundle, sources: Sources | str, day: dt.date, folder: Path) -> Since:
    """Score with the folder's state and without: equal bytes. What was kept comes back."""
    said = score(bundle, sources, day, folder / "since.parquet", folder / "state")
    score(bundle, sources, day, folder / "full.parquet", None)
    assert (folder / "since.parquet").read_bytes() == (folder / "full.parquet").read_bytes()
    return said


def rewrite(source: str, change: Callable[[pa.Table], pa.Table]) -> None:
    parquet.write_table(change(parquet.read_table(source)), source)


def test_day_after_day_the_bytes_are_those_of_a_full_run(bundle: Bundle, source: str, tmp_path: Path) -> None:
    said = [assert_same_as_all(bundle, source, day, tmp_path) for day in DAYS]
    assert [one.last for one in said] == [None, *DAYS[:-1]]
    assert said[0].why == "nothing was kept yet"
    assert all(0 < one.computed < one.customers / 4 for one in said[1:3]), "a day touches few"
    assert {one.changed for one in said} == {0}


def test_a_base_in_parts_gets_more_parts_and_the_same_bytes(
    bundle: Bundle, source: str, tmp_path: Path, in_parts: None
) -> None:
    counts = []
    for day in (DAYS[0], DAYS[1], DAYS[-1]):
        assert_same_as_all(bundle, source, day, tmp_path)
        counts.append(json.loads((tmp_path / "state" / "state.json").read_text())["parts"])
    assert counts[0] > 2
    assert counts[-1] > counts[0]


def test_every_table_and_column_with_refunds_and_faults(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    sources = shop.typed(tmp_path / "in")
    days = [shop.AS_OF - dt.timedelta(back) for back in (40, 39, 0)]
    bundle = as_of(trained.bundle._replace(spec=SHOP_SPEC), days[0])
    said = [assert_same_as_all(bundle, sources, day, tmp_path) for day in days]
    assert 0 < said[1].computed < said[1].customers / 2


def test_the_same_day_again_computes_nobody(bundle: Bundle, source: str, tmp_path: Path) -> None:
    score(bundle, source, FIRST, tmp_path / "a.parquet", tmp_path / "state")
    before = sorted((tmp_path / "state").rglob("*"))
    said = assert_same_as_all(bundle, source, FIRST, tmp_path)
    assert (said.last, said.computed, said.changed) == (FIRST, 0, 0)
    assert sorted((tmp_path / "state").rglob("*")) == before


def old_rows(table: pa.Table) -> Any:
    return compute.less(table["ordered_at"], pa.scalar(FIRST).cast(table["ordered_at"].type))


def other_amount(table: pa.Table) -> pa.Table:
    amounts = table["amount"].to_pylist()
    amounts[0] += 1
    return table.set_column(table.column_names.index("amount"), "amount", pa.array(amounts))


def exchanged_amounts(table: pa.Table) -> pa.Table:
    """Two old rows with each other's amount: the sums of all columns stay as they were."""
    amounts = table["amount"].to_pylist()
    old = [k for k, is_old in enumerate(old_rows(table).to_pylist()) if is_old]
    k = next(k for k in old if amounts[k] != amounts[old[0]])
    amounts[old[0]], amounts[k] = amounts[k], amounts[old[0]]
    return table.set_column(table.column_names.index("amount"), "amount", pa.array(amounts))


def late_row(table: pa.Table) -> pa.Table:
    """The first row once more: equal in every column, and yet an order line more."""
    return pa.concat_tables([table, table.slice(0, 1)])


def vanished_customer(table: pa.Table) -> pa.Table:
    return table.filter(compute.not_equal(table["customer_id"], table["customer_id"][0]))


def without_old_rows(table: pa.Table) -> pa.Table:
    """All that is old of one customer is gone, what is new is not."""
    is_one = compute.equal(table["customer_id"], table["customer_id"][0])
    return table.filter(compute.invert(compute.and_(is_one, old_rows(table))))


def other_quantity(table: pa.Table) -> pa.Table:
    quantities = [k + 1 for k in table["quantity"].to_pylist()[:1]] + table["quantity"].to_pylist()[1:]
    return table.set_column(table.column_names.index("quantity"), "quantity", pa.array(quantities))


@pytest.mark.parametrize(
    "change", [other_amount, exchanged_amounts, late_row, vanished_customer, without_old_rows, other_quantity]
)
def test_history_that_changed_is_found_and_computed_again(
    bundle: Bundle, source: str, tmp_path: Path, change: Callable[[pa.Table], pa.Table]
) -> None:
    rewrite(source, lambda table: table.sort_by("ordered_at"))
    score(bundle, source, FIRST, tmp_path / "before.parquet", tmp_path / "state")
    rewrite(source, change)
    said = assert_same_as_all(bundle, source, DAYS[1], tmp_path)
    assert said.last == FIRST
    assert 1 <= said.changed <= 2
    assert said.computed < said.customers / 4
    assert f"rows before that day have changed for {said.changed}" in said.line()
    again = assert_same_as_all(bundle, source, DAYS[1], tmp_path)
    assert (again.changed, again.computed) == (0, 0)


def test_rows_in_another_order_and_other_files_have_not_changed(bundle: Bundle, source: str, tmp_path: Path) -> None:
    score(bundle, source, FIRST, tmp_path / "before.parquet", tmp_path / "state")
    table = parquet.read_table(source).sort_by("amount")
    (tmp_path / "many").mkdir()
    for k in range(2):
        half = table.num_rows // 2
        scored_tables.write(tmp_path / "many", table.slice(k * half, half if k == 0 else None), f"{k}.parquet")
    said = assert_same_as_all(bundle, str(tmp_path / "many"), FIRST, tmp_path)
    assert (said.changed, said.computed) == (0, 0)


def test_other_data_altogether_is_computed_anew(bundle: Bundle, source: str, tmp_path: Path) -> None:
    score(bundle, source, FIRST, tmp_path / "before.parquet", tmp_path / "state")
    other = scored_tables.write(tmp_path, scored_tables.purchases(30))
    said = assert_same_as_all(bundle, other, FIRST, tmp_path)
    assert said.changed > 500


def test_what_other_versions_kept_is_computed_anew(
    bundle: Bundle, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score(bundle, source, FIRST, tmp_path / "before.parquet", tmp_path / "state")
    monkeypatch.setattr(state_folder, "LIBRARIES", ("duckdb",))
    said = assert_same_as_all(bundle, source, DAYS[1], tmp_path)
    assert (said.last, said.why) == (None, "what was kept is of other versions")


def test_state_of_a_later_day_is_refused_and_stays(bundle: Bundle, source: str, tmp_path: Path) -> None:
    score(bundle, source, DAYS[1], tmp_path / "s.parquet", tmp_path / "state")
    before = (tmp_path / "state" / "state.json").read_bytes()
    with pytest.raises(errors.BadInput, match="of a later day") as caught:
        score(bundle, source, FIRST, tmp_path / "s.parquet", tmp_path / "state")
    assert f"kept of {DAYS[1]}, asked for {FIRST}" in str(caught.value)
    assert (tmp_path / "state" / "state.json").read_bytes() == before


def test_state_of_other_features_is_refused(bundle: Bundle, source: str, tmp_path: Path) -> None:
    score(bundle, source, FIRST, tmp_path / "s.parquet", tmp_path / "state")
    other = bundle._replace(spec=bundle.spec._replace(windows=(7, *bundle.spec.windows)))
    with pytest.raises(errors.BundleRefused, match="other features") as caught:
        score(other, source, FIRST, tmp_path / "s.parquet", tmp_path / "state")
    assert "windows" in str(caught.value)


def test_a_folder_of_something_else_is_refused_and_left_alone(bundle: Bundle, source: str, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "thesis.txt").write_text("mine")
    with pytest.raises(errors.BadInput, match="something else"):
        score(bundle, source, FIRST, tmp_path / "s.parquet", tmp_path / "state")
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["thesis.txt"]


def test_a_file_and_a_place_in_the_data_are_refused(bundle: Bundle, source: str, tmp_path: Path) -> None:
    with pytest.raises(errors.CannotWrite):
        score(bundle, source, FIRST, tmp_path / "s.parquet", Path(source))
    with pytest.raises(errors.CannotWrite, match="--since"):
        score(bundle, str(Path(source).parent), FIRST, tmp_path / "s.parquet", Path(source).parent / "state")


@pytest.mark.parametrize("damage", ["cut", "gone", "no json", "newer"])
def test_damaged_state_is_refused(bundle: Bundle, source: str, tmp_path: Path, damage: str) -> None:
    score(bundle, source, FIRST, tmp_path / "s.parquet", tmp_path / "state")
    file, said = next((tmp_path / "state").rglob("00000.parquet")), tmp_path / "state" / "state.json"
    if damage == "cut":
        os.truncate(file, 100)
    elif damage == "gone":
        file.unlink()
    else:
        said.write_text("{" if damage == "no json" else said.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(errors.BadInput) as caught:
        score(bundle, source, FIRST, tmp_path / "s.parquet", tmp_path / "state")
    assert "pass another folder with --since" in str(caught.value)


def test_two_runs_do_not_share_a_state(bundle: Bundle, source: str, tmp_path: Path) -> None:
    with (
        state_folder.held(tmp_path / "state"),
        pytest.raises(errors.CannotWrite, match="another run"),
    ):
        score(bundle, source, FIRST, tmp_path / "s.parquet", tmp_path / "state")


def test_a_run_that_ends_while_it_writes_leaves_the_state_before(
    bundle: Bundle, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score(bundle, source, FIRST, tmp_path / "s.parquet", tmp_path / "state")
    before = sorted(path.name for path in (tmp_path / "state").iterdir())

    def killed(state: state_folder.State) -> state_folder.State:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(state_folder, "publish", killed)
        with pytest.raises(Killed):
            score(bundle, source, DAYS[1], tmp_path / "s.parquet", tmp_path / "state")
    assert len(list((tmp_path / "state").iterdir())) == len(before) + 1
    said = assert_same_as_all(bundle, source, DAYS[1], tmp_path)
    assert said.last == FIRST
    assert len(list((tmp_path / "state").iterdir())) == len(before)


KILLED = """
import datetime as dt, os, pathlib, signal, sys
from features.engines.duckdb import Engine
from features.reading import Sources
from models import bundle_folder
from serving import batch, output, state_folder
from features import parts

bundle, source, day, out, state, moment = sys.argv[1:]
parts.ROWS_PER_PART = 400
kill = lambda *given, **how: os.kill(os.getpid(), signal.SIGKILL)
if moment == "files":
    output.to_disk = lambda path: kill() if path.name == "groups.parquet" else None
elif moment == "name":
    rename = pathlib.Path.replace
    pathlib.Path.replace = lambda path, target: (kill if target.name == "state.json" else rename)(path, target)
elif moment == "old":
    remove = state_folder.shutil.rmtree
    state_folder.shutil.rmtree = lambda path, **how: (kill if "state" in str(path) else remove)(path, **how)
tell = lambda k, of: kill() if moment == "scores" and k == 2 else None
with Engine(threads=1) as engine:
    loaded = bundle_folder.load(pathlib.Path(bundle))
    day, places = dt.date.fromisoformat(day), (pathlib.Path(out), pathlib.Path(state))
    batch.score_all(engine, loaded, Sources(source), day, places[0], since=places[1], tell=tell)
"""


@pytest.mark.parametrize("moment", ["files", "name", "old", "scores"])
def test_a_process_killed_outright_leaves_a_state_to_go_on_from(
    bundle: Bundle, source: str, tmp_path: Path, in_parts: None, moment: str
) -> None:
    bundle_folder.save(bundle, tmp_path / "bundle")
    loaded = bundle_folder.load(tmp_path / "bundle")
    score(loaded, source, FIRST, tmp_path / "since.parquet", tmp_path / "state")
    given = (tmp_path / "bundle", source, DAYS[1], tmp_path / "since.parquet", tmp_path / "state", moment)
    asked = [sys.executable, "-c", KILLED, *map(str, given)]
    ended = subprocess.run(asked, env=command_line.around(), check=False)
    assert ended.returncode == -signal.SIGKILL
    said = assert_same_as_all(loaded, source, DAYS[1], tmp_path)
    assert said.last == (FIRST if moment in ("files", "name") else DAYS[1])
    sets = [path.name for path in (tmp_path / "state").iterdir() if path.is_dir()]
    assert len(sets) == 1 or moment == "old"
    assert_same_as_all(loaded, source, DAYS[2], tmp_path)
    assert len([path.name for path in (tmp_path / "state").iterdir() if path.is_dir()]) == 1
