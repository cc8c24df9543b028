"""A rule in place of the stack: it orders customers as the baseline does, and knows the level of its windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests import small_training
from tiercast.models import btyd, bundle_folder, churn, predict, stack
from tiercast.models.bundle import About
from tiercast.training.fit import churn_model, plain_rules, procedure, value_model
from tiercast.training.fit.procedure import Rules
from tiercast.training.judge import baselines
from tiercast.training.judge.baselines import Cohort
from tiercast.training.windows.snapshots import Snapshot, Snapshots

SETTINGS, AS_OF = small_training.SETTINGS, small_training.AS_OF
CHURN_RULES, VALUE_RULES = ("recency", "halved_window_rule"), ("naive_rate", "last_window_spend", "average_spend")


def names(history: Snapshots) -> tuple[str, ...]:
    return (*history.spec.names, *btyd.NAMES)


@pytest.mark.parametrize("rule", [*CHURN_RULES, *VALUE_RULES])
def test_customers_stand_in_the_order_of_the_rule(history: Snapshots, windows: list[Snapshot], rule: str) -> None:
    *_, then, now = windows
    is_churn = rule in CHURN_RULES
    target = (churn_model if is_churn else value_model).target(names(history), (), SETTINGS)
    closed = [w._replace(value=np.ones(len(w.features))) if w.value is None else w for w in windows[:-1]]
    fitted = plain_rules.fit(target, closed, (1.0,) * len(closed), rule)
    ours = stack.link(fitted, now.frame, target.start(now))
    then = then._replace(value=closed[-1].value)
    made = (
        baselines.churn_baselines(Cohort(then.features, then.churned), Cohort(now.features), 90)
        if is_churn
        else baselines.value_baselines(Cohort(then.features, None, then.value), Cohort(now.features), 120)
    )
    order = np.argsort(ours, kind="stable")
    assert np.isfinite(ours).all()
    assert (np.diff(made[rule][order]) >= -1e-9).all()


def test_rules_know_the_share_of_their_windows(history: Snapshots, windows: list[Snapshot]) -> None:
    target = churn_model.target(names(history), (), SETTINGS)
    for rule in ("recency", "base_rate"):
        fitted = plain_rules.fit(target, windows[:-1], (1.0, 1.0), rule)
        stated = np.concatenate([churn.p_churn(churn.ChurnModel(fitted), w.frame) for w in windows[:-1]])
        happened = np.concatenate([churn_model.churned(w) for w in windows[:-1]])
        assert stated.mean() == pytest.approx(happened.mean(), abs=0.01)


def test_the_closed_form_wins_as_it_is(history: Snapshots, windows: list[Snapshot]) -> None:
    target = churn_model.target(names(history), (), SETTINGS)
    fitted = plain_rules.fit(target, windows[:-1], (1.0, 1.0), "btyd")
    start = target.start(windows[-1])
    assert stack.link(fitted, windows[-1].frame, start).tolist() == start.tolist()


def test_a_bundle_takes_what_won_and_its_manifest_names_it(history: Snapshots, tmp_path: Path) -> None:
    rules = Rules("recency", "average_spend")
    made = procedure.run(history, AS_OF, SETTINGS, About(AS_OF, 90, 120), rules)
    assert (made.bundle.about.churn_rule, made.bundle.about.value_rule) == rules
    assert "By recency alone" in made.churn.note
    assert "By average_spend alone" in made.value.note
    bundle_folder.save(made.bundle, tmp_path / "bundle")
    assert '"churn_rule": "recency"' in (tmp_path / "bundle" / "manifest.json").read_text()
    frame = {name: made.now.frame[name] for name in made.bundle.spec.names}
    kept = predict.predict(bundle_folder.load(tmp_path / "bundle"), frame, str)
    assert kept.p_churn.tolist() == predict.predict(made.bundle, frame).p_churn.tolist()
    assert np.corrcoef(kept.p_churn, frame["silence_days"])[0, 1] > 0.8
    assert kept.contributions is not None
    away = sum(kept.contributions.values()) - np.log(kept.p_churn / (1 - kept.p_churn))
    assert np.ptp(away) < 1e-9, "contributions add up, without the closed form"
