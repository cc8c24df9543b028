from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from tests.training.comparison.test_side_by_side import subject
from tiercast.training.comparison import duel, kept
from tiercast.training.comparison.kept import HoldoutWindow, Kept
from tiercast.training.comparison.subject import Subject

N = 400
RNG = np.random.default_rng(5)
RISK = RNG.random(N)
CHURNED = (RNG.random(N) < RISK).astype(np.float64)
MONEY = RNG.gamma(2.0, 50.0, N)
BROUGHT = MONEY * RNG.gamma(4.0, 0.25, N)
METRICS = {"churn_auc": 0.80, "churn_auc_low": 0.78, "churn_auc_high": 0.82, "value_ngini": 0.7,
           "value_ngini_low": 0.66, "value_ngini_high": 0.74}  # fmt: skip


def judged(p: float = 0.0, money: float = 0.0, as_of: dt.date = dt.date(1998, 4, 2)) -> dict[str, Kept]:
    """Forecasts that are right on average; `p` and `money` pull them towards what happened (or away, below 0)."""
    window = HoldoutWindow(as_of, 90, N, "ab" * 16)
    risk = np.clip(RISK + p * (CHURNED - RISK), 0, 1)
    value = MONEY + money * (BROUGHT - MONEY)
    columns = (risk, value, value * 0.5, value * 2, np.full(N, "A"))
    return {"churn": Kept("churn", window, CHURNED, *columns), "value": Kept("value", window, BROUGHT, *columns)}


def run(name: str, as_of: str = "1998-07-01", rows: dict[str, Kept] | None = None, **params: str) -> Subject:
    named = {key.replace("__", "."): value for key, value in params.items()}
    return subject(name, {"as_of": as_of, **named}, metrics=METRICS, kept=judged() if rows is None else rows)


def test_the_champion_itself_may_keep_its_title() -> None:
    assert duel.fight(run("a"), run("a")) == duel.ITSELF
    assert duel.ITSELF.is_won
    assert duel.FIRST.is_won


def test_on_the_same_window_a_challenger_must_be_better_beyond_noise() -> None:
    better = duel.fight(run("a"), run("b", rows=judged(p=0.2)))
    assert (better.kind, better.is_won) == ("paired", True)
    assert {name: each.verdict for name, each in better.differences.items()} == {
        "churn_brier": "better", "value_ngini": "same", "value_mae": "same",
    }  # fmt: skip


def test_equal_is_not_better() -> None:
    found = duel.fight(run("a"), run("b"))
    assert (found.kind, found.is_won) == ("paired", False)


def test_better_in_one_and_worse_in_another_is_not_better() -> None:
    found = duel.fight(run("a"), run("b", rows=judged(p=0.2, money=-0.5)))
    assert found.differences["value_mae"].verdict == "worse"
    assert not found.is_won


def test_the_same_settings_on_newer_data_are_a_refresh_that_must_only_not_be_worse() -> None:
    later = judged(as_of=dt.date(1998, 7, 1))
    found = duel.fight(run("a"), run("b", "1998-10-01", later, rolling__threads="4"))
    assert (found.kind, found.is_won) == ("refresh", True)
    assert set(found.differences) == {"churn_auc", "value_ngini"}
    assert not any(each.is_paired for each in found.differences.values())


def test_a_refresh_that_ranks_worse_beyond_noise_is_refused() -> None:
    worse = run("b", "1998-10-01", judged(as_of=dt.date(1998, 7, 1)))
    worse = worse._replace(metrics={name: number - 0.2 for name, number in METRICS.items()})
    found = duel.fight(run("a"), worse)
    assert (found.kind, found.is_won) == ("refresh", False)


def test_other_settings_on_another_window_cannot_be_compared_and_the_way_out_is_told() -> None:
    found = duel.fight(run("a"), run("b", "1998-10-01", judged(as_of=dt.date(1998, 7, 1)), trees__num_leaves="31"))
    assert (found.kind, found.is_won) == ("apart", False)
    assert "trees.num_leaves" in found.why
    assert "--as-of 1998-10-01" in found.hint


@pytest.mark.parametrize(
    ("as_of", "params", "words"),
    [
        ("1998-05-01", {}, "trained as of 1998-05-01, the champion as of 1998-07-01"),
        ("1998-10-01", {"horizons__churn_days": "30"}, "other horizons"),
    ],
)
def test_an_older_day_and_other_horizons_are_no_refresh(as_of: str, params: dict[str, str], words: str) -> None:
    found = duel.fight(run("a"), run("b", as_of, {}, **params))
    assert (found.kind, found.is_won) == ("apart", False)
    assert words in found.why


def test_an_old_champion_without_forecasts_can_be_refreshed_but_not_beaten_on_its_window() -> None:
    old = run("a", rows={})
    assert duel.fight(old, run("b")).kind == "refresh"
    assert duel.fight(old, run("b", trees__num_leaves="31")).kind == "apart"


def test_a_setting_that_the_champion_did_not_know_had_todays_default() -> None:
    known = run("b", "1998-10-01", {}, trees__num_leaves="8")
    assert duel.fight(run("a"), known).kind == "refresh"


def test_a_refresh_of_which_nothing_was_measured_is_not_won() -> None:
    bare = [run(name, rows={})._replace(metrics={}) for name in "ab"]
    assert not duel.fight(*bare).is_won


def test_only_customers_that_both_were_judged_on_make_a_pair() -> None:
    without_value = {"churn": judged()["churn"]}
    assert kept.why_not_paired(None, judged()["value"])
    assert duel.fight(run("a"), run("b", rows=without_value)).kind == "refresh"


def test_trees_of_its_own_make_a_challenger_no_refresh() -> None:
    later = judged(as_of=dt.date(1998, 7, 1))
    tuned = run("b", "1998-10-01", later, value_trees__num_leaves="4")
    assert duel.fight(run("a"), tuned).kind == "apart"
