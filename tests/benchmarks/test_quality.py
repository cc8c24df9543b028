"""The numbers that are published: verdicts, cells, marks in pages, and the memory of a process."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import machine, pages, quality, score_memory, shops
from benchmarks.shops import Shop
from tiercast.features.reading import Sources
from tiercast.training.evaluation.bootstrap import Metric
from tiercast.training.train import Trained

SHOP = Shop("CDNOW", Sources("cdnow.parquet"), dt.date(1998, 7, 1), 90)
SURE, LUCKY, WORSE = Metric(0.02, 0.01, 0.03), Metric(0.02, -0.01, 0.05), Metric(-0.02, -0.03, -0.01)


@pytest.mark.parametrize(
    ("gains", "verdict"),
    [([SURE, SURE], quality.YES), ([SURE, LUCKY], quality.NOISE), ([SURE, WORSE], quality.NO)],
    ids=["beyond noise against both", "beyond noise against one", "worse than one"],
)
def test_better_means_better_than_every_rival(gains: list[Metric], verdict: str) -> None:
    assert quality._better(gains) == verdict


def test_a_gain_is_positive_where_our_error_is_smaller(trained: Trained) -> None:
    judged = quality.judge(SHOP, trained)
    ours, theirs = judged.value.forecasts["tiercast"], judged.value.forecasts["recency"]
    by_hand = np.abs(theirs - judged.value.actual).mean() - np.abs(ours - judged.value.actual).mean()
    gain = judged.against["recency"]["mae"]
    assert gain.value == pytest.approx(by_hand)
    assert gain.low < gain.value < gain.high


def test_every_target_has_a_verdict_and_every_model_a_row(trained: Trained) -> None:
    judged = quality.judge(SHOP, trained)
    assert set(judged.verdicts) == {"auc", "brier", "ece", "ngini", "mae", "bias"}
    page = "\n".join(quality.markdown([judged], ["Online Retail is left out."]))
    assert "Online Retail is left out." in page
    for name in {*judged.churn.forecasts, *judged.value.forecasts}:
        assert f"| {quality.NAMES[name]} |" in page


def test_a_shop_without_a_holdout_is_refused(trained: Trained) -> None:
    with pytest.raises(ValueError, match="too short for a holdout"):
        quality.judge(SHOP, trained._replace(value=None))


def test_a_data_set_that_is_not_here_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shops, "_complete_journey", lambda _: None)
    monkeypatch.setenv("TIERCAST_DATA", str(tmp_path))
    found, missing = shops.gather(tmp_path)
    assert [shop.title for shop in found] == ["CDNOW, 90 days", "CDNOW, 180 days"]
    assert ["Complete Journey" in missing[0], "TIERCAST_DATA" in missing[1]] == [True, True]


def test_a_page_without_marks_is_not_written(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("No marks.\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no marks"):
        pages.refresh(page, "quality", ["numbers"])
    assert page.read_text(encoding="utf-8") == "No marks.\n"


@pytest.mark.parametrize(
    ("page", "name"), [(pages.QUALITY, "quality"), (pages.RESULTS, "fit"), (pages.RESULTS, "score")]
)
def test_the_pages_have_their_marks(page: Path, name: str) -> None:
    assert pages.between(page.read_text(encoding="utf-8"), name, ["x"]).count(f"<!-- {name}: ") == 2


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the peak")
def test_the_peak_of_a_process_counts_what_it_gave_back() -> None:
    """A quarter of a GiB is taken, touched and freed; the interpreter itself needs less than a tenth."""
    code = "import time; x = bytearray(b'1') * 2**28; del x; time.sleep(0.3); print('done')"
    seconds, peak, said = score_memory.watch([sys.executable, "-c", code])
    assert said == "done\n"
    assert seconds >= 0.3
    assert 0.25 <= peak <= 0.35


def test_a_command_that_fails_is_not_a_measurement() -> None:
    with pytest.raises(RuntimeError, match="ended with 3"):
        score_memory.watch([sys.executable, "-c", "raise SystemExit(3)"])


def test_the_machine_says_when_and_with_what() -> None:
    where, what = machine.lines()
    assert where.startswith(dt.datetime.now(tz=dt.UTC).date().isoformat())
    assert "lightgbm" in what
