"""The ladder: pieces that depend on nothing but their seed, a whole small run, and what is said of growth."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from benchmarks import growth, large, large_figure, pages, score_memory, simulate
from benchmarks.large import Graded, Rung
from benchmarks.score_memory import Scored
from tiercast.contract import errors
from tiercast.models.bgnbd import BgNbd

GIB = 2**30


def runs(*sizes: int, fixed: float = 5.0, each: float = 10e-6) -> list[Rung]:
    """A machine that takes `fixed` seconds and `each` per customer, in 1 GiB; the other side takes twice as long."""
    seconds = {n: fixed + each * n for n in sizes}
    graded = {n: Graded(n, 5 * n, "none", seconds[n], 2 * seconds[n], 1.0, n * 300 / GIB, n * 100 / GIB) for n in sizes}
    return [Rung(1.0, (graded[n],), Scored(n, 5 * n, "", 2 * seconds[n], 3.0) if n == 10**6 else None) for n in sizes]


def test_pieces_hold_every_customer_once_whatever_follows_them(tmp_path: Path) -> None:
    rows = simulate.write_pieces(simulate.World(), 250, tmp_path / "few", seed=4, at_once=100)
    simulate.write_pieces(simulate.World(), 450, tmp_path / "many", seed=4, at_once=100)
    few, many = (sorted((tmp_path / name).iterdir()) for name in ("few", "many"))
    assert [path.name for path in few] == [f"{first:09}.parquet" for first in (0, 100, 200)]
    assert [path.read_bytes() for path in few[:2]] == [path.read_bytes() for path in many[:2]]
    table = pa.concat_tables([pq.read_table(path) for path in few])
    assert table.num_rows == rows
    assert sorted(pc.unique(table["customer_id"]).to_pylist()) == [f"c-{n:09}" for n in range(250)]


def test_pieces_come_from_the_world_asked_for(tmp_path: Path) -> None:
    """Without leaving, Poisson at r / alpha = 0.01 a day for 365 days on average: 1 + 3.65 orders each."""
    world = simulate.World(bg=BgNbd(r=1.0, alpha=100.0, a=0.0, b=1.0))
    rows = simulate.write_pieces(world, 20_000, tmp_path / "base", seed=1, at_once=5_000)
    assert rows / 20_000 == pytest.approx(4.65, rel=0.03)


def test_the_ladder_ends_where_it_is_asked_to() -> None:
    assert large.ladder(1_000_000) == (1_000_000,)
    assert large.ladder(20_000_000) == (1_000_000, 4_000_000, 10_000_000, 20_000_000)
    assert large.ladder(110_000_000)[-2:] == (20_000_000, 110_000_000)


def test_a_small_ladder_is_measured_and_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_memory, "TRAINED_ON", 5_000)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    said: list[str] = []
    small, large_ = large.measure((2_000, 1_000), ("risky",), said.append)
    assert [rung.runs[0].customers for rung in (small, large_)] == [1_000, 2_000]
    assert all(rung.usual is not None and rung.usual.customers == rung.runs[0].customers for rung in (small, large_))
    assert all(run.rows > run.customers for rung in (small, large_) for run in rung.runs)
    assert all(run.disk_gib >= run.scores_gib > 0 for rung in (small, large_) for run in rung.runs)
    assert all(run.cpu_seconds > 0 for rung in (small, large_) for run in rung.runs)
    assert "scoring 2,000 customers, reasons risky" in said
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_is_refused_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1 << 30))
    with pytest.raises(errors.CannotWrite, match=r"1,024 of 9,536 MiB: 20,000,000 customers") as caught:
        large.measure((20_000_000,), ("none",), pytest.fail)
    assert "TMPDIR" in caught.value.hint
    assert f"{(1 << 30) // large.BYTES_PER_CUSTOMER:,}" in caught.value.hint


def test_the_line_through_a_machine_that_is_one_finds_its_parts() -> None:
    measured = [rung.runs[0] for rung in runs(10**6, 4 * 10**6, 10**7)]
    fitted = growth.line(measured, lambda run: run.seconds)
    assert fitted.fixed == pytest.approx(5.0)
    assert fitted.each == pytest.approx(10e-6)
    assert fitted.off == pytest.approx(0.0, abs=1e-9)


def test_the_goal_is_extrapolated_by_rows_and_says_so() -> None:
    """580M rows at 5 each are 116M customers: 5 + 1,160 seconds are 19 minutes; 300 bytes each are 33 GiB."""
    (text,) = growth.sentences(runs(10**6, 10**7))
    assert "**Extrapolated, not measured**" in text
    assert "take 19 minutes (goal 60: met), 1.1 GB of memory (goal 16: met) and 33 GiB of disk" in text
    assert "7.0 times the seconds (at most 11: met) and 1.00 times the memory (at most 1.5: met)" in text


def test_a_last_step_steeper_than_the_line_is_what_is_extrapolated() -> None:
    """10 s for 1M, 20 s for 2M, 50 s for 3M: 30 s per million from there, 113M more are 3,390 s and 50, 57 minutes."""
    a, b, c = (rung.runs[0] for rung in runs(10**6, 2 * 10**6, 3 * 10**6))
    steep = [a._replace(seconds=10.0), b._replace(seconds=20.0), c._replace(seconds=50.0)]
    (text,) = growth.sentences([Rung(1.0, (run,), None) for run in steep])
    assert "take 57 minutes" in text


def test_missed_targets_are_said_to_be_missed() -> None:
    (text,) = growth.sentences(runs(10**6, 10**7, fixed=-3.0, each=40e-6))
    assert "(at most 11: met)" not in growth.sentences(runs(10**6, 10**7, fixed=-3.0, each=10e-6))[0]
    assert "(goal 60: **missed**)" in text


def test_a_ladder_without_ten_million_has_no_verdict_on_it() -> None:
    assert "not measured in this run" in growth.sentences(runs(10**6, 4 * 10**6))[0]
    assert growth.sentences(runs(10**6)) == ["One size shows no growth."]


def test_the_table_has_a_row_per_run_and_the_other_side() -> None:
    text = "\n".join(growth.markdown(runs(10**6, 4 * 10**6)))
    assert text.count("| `tiercast score --reasons none` |") == 2
    assert "| the usual script | 1,000,000 | 5,000,000 | 30.0 | | 3.00 GiB | | |" in text


def test_the_picture_is_the_same_file_for_the_same_numbers_and_tells_no_day(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        large_figure.write(runs(10**6, 4 * 10**6), tmp_path / name)
    drawn = (tmp_path / "one.svg").read_text(encoding="utf-8")
    assert drawn == (tmp_path / "two.svg").read_text(encoding="utf-8")
    assert len(drawn) < 60_000
    for told in ("the usual script", "reasons none", "customers", "seconds"):
        assert told in drawn
    for untold in ("dc:date", "Matplotlib v", str(tmp_path)):
        assert untold not in drawn


def test_the_picture_shows_every_run() -> None:
    rungs = runs(10**6, 4 * 10**6)
    assert large_figure.names(rungs) == ["none", large_figure.USUAL]
    assert large_figure.points(rungs, "none", "seconds") == [(10**6, 15.0), (4 * 10**6, 45.0)]
    assert large_figure.points(rungs, large_figure.USUAL, "peak_gib") == [(10**6, 3.0)]


def test_the_page_has_its_marks_and_its_picture() -> None:
    page = pages.RESULTS.read_text(encoding="utf-8")
    assert pages.between(page, "large", ["x"]).count("<!-- large: ") == 2
    assert f"({large_figure.FILE.name})" in page
    assert large_figure.FILE.exists()


def test_a_command_is_looked_at_while_it_runs_and_stopped_with_its_watcher() -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    seen: list[int] = []
    score_memory.watch([sys.executable, "-c", "import time; time.sleep(0.2)"], os.environ, lambda: seen.append(1))
    assert seen
    with pytest.raises(KeyboardInterrupt):  # within the time of this test, and not of the command
        score_memory.watch([sys.executable, "-c", "import time; time.sleep(600)"], look=stop)


def test_random_numbers_of_neighbouring_pieces_differ(tmp_path: Path) -> None:
    simulate.write_pieces(simulate.World(), 200, tmp_path / "base", seed=1, at_once=100)
    first, second = (pq.read_table(path)["amount"].to_numpy() for path in sorted((tmp_path / "base").iterdir()))
    assert not np.isin(first, second).mean() > 0.2
