from __future__ import annotations

import datetime as dt
import io
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from tiercast.contract.vectors import Vector
from tiercast.tiers import moves as tier_moves
from tiercast.training.evaluation import scorecard
from tiercast.training.evaluation.bootstrap import Metric
from tiercast.training.judge.weekly import Weekly
from tiercast.training.monitoring.drift import Drift
from tiercast.training.plots import churn, compared, drift, grid, models, moves, over_time, style, tuning, value

COUNTS = {"A": 2100, "B": 812, "C": 6034, "D": 7401, "E": 6100, "F": 1123}
GAINS = (np.array([-0.02, 0.01, -9.0, 0.03]), np.array([False, False, True, False]))
VALUES = {"A": 310_000.0, "B": 72_000.0, "C": 88_000.0, "D": 31_000.0, "E": 4_000.0}

DRIFTED = [
    Drift("silence_days", 2.5, 0.01, 60.0, 90.0, 0.0, 0.0, True, "quiet"),
    Drift("spend_total", 0.25, 0.01, 80.0, 70.0, 0.0, 0.0, False, "alarm"),
    Drift("attr_new", None, 0.0, None, None, 0.0, 0.0, False, "unknown"),
]
MOVED = tier_moves.matrix(np.array(["A", "A", "D", ""]), np.array(["A", "B", "D", "C"]), np.ones(4), np.ones(4))


def customers(n: int = 500) -> tuple[Vector, Vector]:
    rng = np.random.default_rng(0)
    p = rng.random(n)
    return p, (rng.random(n) < p).astype(np.float64)


def frequency_bins() -> Figure:
    repeat = np.random.default_rng(0).poisson(2, 400).astype(np.float64)
    return value.frequency_bins(
        scorecard.frequency_table(repeat, repeat, {"BG/NBD": repeat * 0.9, "naive": repeat * 2})
    )


def every_figure() -> dict[str, Figure]:
    p, churned = customers()
    weeks = np.arange(1.0, 40.0)
    return {
        "reliability": churn.reliability(p, churned),
        "lift_and_gain": churn.lift_and_gain(p, churned),
        "campaign_profit": churn.campaign_profit(p, churned),
        "value_lift": value.value_lift(100 * p, 90 * p),
        "tracking": value.tracking(weeks, weeks % 7 + 1, weeks % 5 + 1, as_of_week=20),
        "frequency_bins": frequency_bins(),
        "importance": models.importance([f"feature_{at}" for at in range(30)], np.arange(30.0)),
        "comparison": models.comparison("AUC", {"model": Metric(0.8, 0.78, 0.82), "recency": Metric(0.7, 0.68, 0.72)}),
        "grid": grid.grid(COUNTS, VALUES, "USD"),
        "over_time": dates(12),
        "bands": over_time.bands(
            [Metric(0.04 - at / 100, 0.03 - at / 100, 0.05 - at / 100) for at in range(3)],
            [Metric(0.7, 0.69, 0.71)] * 3,
            [0.0, 0.1, 0.1],
            [0.0, 0.0, 0.05],
        ),
        "drift": drift.bars(DRIFTED, "2024-05-01", "2024-06-01"),
        "migration": moves.migration(MOVED, "2024-05-01", "2024-06-01"),
        **several(p, churned, weeks),
        "tuning": tuning.history({"churn": GAINS, "value": GAINS}),
    }


def several(p: Vector, churned: Vector, weeks: Vector) -> dict[str, Figure]:
    """What compares trainings, of two of them."""
    two = {"3f2a91c0": (p, churned), "8be71d24": (p**2, churned)}
    tracked = {name: Weekly(weeks, weeks % 7 + 1, weeks % 5 + 1, 20.0) for name in two}
    return {
        "compared reliability": compared.reliability(two),
        "compared gain": compared.gain(two),
        "compared deciles": compared.deciles(dict.fromkeys(two, (100 * p, 90 * p))),
        "compared weekly": compared.weekly(tracked),
        "compared migration": compared.migration({("A", "A"): 90, ("A", "B"): 10}, "AB", ("3f2a91c0", "8be71d24")),
    }


def dates(n: int) -> Figure:
    """An AUC on n days a month apart, the closed form missing on the first."""
    days = [dt.date(1997, 1, 1) + dt.timedelta(30 * at) for at in range(n)]
    ours, rival = Metric(0.8, 0.78, 0.82), Metric(0.7, 0.68, 0.72)
    return over_time.metric("Over time", "AUC.", days, [ours] * n, [None, *[rival] * (n - 1)], target=0.75)


def words(drawn: Figure) -> str:
    """All that can be read in a figure."""
    drawn.canvas.draw()
    return "\n".join(artist.get_text() for artist in drawn.findobj(Text))


@pytest.mark.parametrize(("name", "drawn"), every_figure().items())
def test_every_figure_can_be_written_and_its_title_and_notes_lie_inside(name: str, drawn: Figure) -> None:
    written = io.BytesIO()
    drawn.savefig(written, format="png")
    assert written.getvalue().startswith(b"\x89PNG"), name
    assert all(text.get_window_extent().x1 <= drawn.bbox.x1 for text in drawn.texts), name


def test_drawing_leaves_pyplot_alone() -> None:
    code = (
        "import sys, numpy as np; from tiercast.training.plots import churn, compared, grid, models, value; "
        "churn.reliability(np.linspace(0, 1, 40), np.tile([0.0, 1.0], 20)).canvas.draw(); "
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_grid_says_how_many_customers_and_how_much_value_each_tier_has() -> None:
    said = words(grid.grid(COUNTS, VALUES, "USD"))
    assert "2,100 customers (9%)" in said
    assert "310,000 USD (61% of value)" in said
    assert "23,570 customers, 505,000 USD expected" in said


def test_prospects_have_customers_but_no_value_in_the_grid() -> None:
    said = words(grid.grid({"F": 10}, {}))
    assert "10 customers (100%)" in said
    assert "of value" not in said


def test_the_comparison_puts_the_best_on_top_and_leaves_out_what_could_not_be_measured() -> None:
    nan = float("nan")
    known = {"good": Metric(0.2, 0.1, 0.3), "bad": Metric(0.9, 0.8, 1.0), "unknown": Metric(nan, nan, nan)}
    ax = models.comparison("Brier", known, higher_is_better=False).axes[0]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["bad", "good"]  # from the bottom up


def test_importance_adds_up_what_is_not_shown() -> None:
    said = words(models.importance(["a", "b", "c", "d"], np.array([5.0, 3.0, 1.0, 1.0]), top=2))
    assert "2 others together" in said
    assert "50.0%" in said
    assert "20.0%" in said


def test_importance_of_a_model_without_splits_is_an_empty_picture() -> None:
    assert not models.importance(["a", "b"], np.zeros(2)).axes[0].patches


def test_the_reliability_picture_states_the_calibration_error_of_the_card() -> None:
    p, churned = customers()
    assert f"(ECE) {scorecard.churn_card(p, churned, draws=2)['ece'].value:.3f}" in words(churn.reliability(p, churned))


def test_the_history_of_a_search_follows_the_best_trial_that_was_not_cut_short() -> None:
    gains, is_pruned = np.array([-0.02, 0.01, 0.5, 0.03]), np.array([False, False, True, False])
    ax = tuning.history({"churn": (gains, is_pruned)}).axes[0]
    best = next(line for line in ax.lines if len(line.get_xdata()) == 4)  # type: ignore[arg-type]
    assert list(best.get_ydata()) == [0.0, 0.01, 0.01, 0.03]  # type: ignore[arg-type]


def test_tracking_states_the_bias_of_the_total() -> None:
    assert "off by -25.0%" in words(value.tracking(np.arange(2.0), np.array([4.0, 4.0]), np.array([2.0, 4.0])))


def test_line_names_never_overlap() -> None:
    drawn, (ax,) = style.figure("title", "subtitle")
    ax.set_ylim(0, 100)
    style.name_ends(ax, 1.0, [(50.0, "one", style.INK), (50.5, "two", style.INK), (51.0, "three", style.INK)])
    heights = sorted(float(name.xy[1]) for name in ax.texts)  # type: ignore[attr-defined]
    assert np.all(np.diff(heights) > 5)
    assert drawn.axes == [ax]


def test_over_time_names_at_most_eight_days_and_always_the_last() -> None:
    ax = dates(20).axes[0]
    named = [tick.get_text() for tick in ax.get_xticklabels()]
    assert len(named) <= 8
    assert str(dt.date(1997, 1, 1) + dt.timedelta(30 * 19)) in named


def test_over_time_draws_the_closed_form_only_where_it_has_a_number() -> None:
    lines = [line for line in dates(5).axes[0].get_lines() if line.get_marker() in ("o", "s")]
    assert [len(np.asarray(line.get_xdata())) for line in lines] == [5, 4]


def test_drift_shows_what_could_be_measured_and_writes_out_bars_that_are_cut() -> None:
    drawn = drift.bars(DRIFTED, "2024-05-01", "2024-06-01")
    assert [tick.get_text() for tick in drawn.axes[0].get_yticklabels()] == ["silence_days", "spend_total"]
    assert "2.5 →" in words(drawn)


def test_the_migration_writes_count_and_share_of_the_row_into_each_cell() -> None:
    said = words(moves.migration(MOVED, "2024-05-01", "2024-06-01"))
    assert said.count("1\n50%") == 2
    assert said.count("1\n100%") == 2
    assert "1 fell (orange), 0 rose (blue), 1 new, 0 gone" in said


def test_a_picture_of_several_trainings_names_each() -> None:
    p, churned = customers()
    for name, drawn in several(p, churned, np.arange(1.0, 40.0)).items():
        told = words(drawn)
        assert "3f2a91c0" in told, name
        assert "8be71d24" in told, name


def test_who_changes_tier_is_shown_with_the_share_of_the_tier_they_leave() -> None:
    told = words(compared.migration({("A", "A"): 90, ("A", "B"): 10, ("B", "B"): 7}, "AB", ("one", "other")))
    assert all(cell in told for cell in ("90\n90%", "10\n10%", "7\n100%", "–"))
