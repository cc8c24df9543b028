from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.serving.model_manager.test_hot_reload import soon
from tests.serving.score_requests import customer, purchase, score_body
from tiercast.serving.model_manager import cache, shadow_log
from tiercast.serving.model_manager.differences import Differences
from tiercast.serving.model_manager.shadow import Shadow
from tiercast.serving.model_manager.source import RegistrySource
from tiercast.serving.online import scorer
from tiercast.serving.online.requests import ScoreRequest
from tiercast.serving.online.scorer import Scorer
from tiercast.training.train import Trained

Register = Callable[[str], str]
SECRET = "c-90210-secret"


def requests(n: int) -> list[ScoreRequest]:
    bodies = [
        score_body(customer(f"{SECRET}-{k}", purchase(amount=float(k)), purchase("1998-05-01"))) for k in range(n)
    ]
    return [ScoreRequest.model_validate_json(json.dumps(body)) for body in bodies]


def test_how_a_challenger_differs_is_logged_in_a_run_of_its_own_without_ids(
    registered: Register, trained: Trained, tmp_path: Path
) -> None:
    """The challenger is the same model under another name: nothing differs, and every customer is counted."""
    import mlflow

    registered("challenger")
    served = Scorer(trained.bundle)
    shadow = Shadow(RegistrySource("champion", cache.from_env()), scorer.load, log_seconds=0.2)
    assert soon(lambda: "0 compared" in shadow.state())
    for request in requests(5):
        shadow.offer(request, served.score(request)["scores"])
    assert soon(lambda: "5 compared, 0 dropped, 0 failed" in shadow.state())
    shadow.close()
    client = mlflow.MlflowClient()
    where = client.get_experiment_by_name(shadow_log.EXPERIMENT)
    assert where is not None
    (run,) = client.search_runs([where.experiment_id])
    result = run.data.metrics
    assert result["shadow/requests_compared"] == result["shadow/compared"] == 5
    assert result["shadow/tier_changed_share"] == result["shadow/value_mean_diff"] == 0
    assert run.info.status == "FINISHED"
    assert run.data.tags["shadow"].startswith("challenger")
    assert SECRET.encode() not in (tmp_path / "mlruns" / "mlflow.db").read_bytes()


def test_a_challenger_that_cannot_be_loaded_changes_no_response(mlruns: Path, trained: Trained) -> None:
    shadow = Shadow(RegistrySource("nobody", cache.from_env()), scorer.load)
    assert soon(lambda: "no model `tiercast`" in shadow.state())
    for request in requests(3):
        shadow.offer(request, [])
    shadow.close()


def test_requests_that_find_the_queue_full_are_dropped_and_counted(
    registered: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiercast.serving.model_manager.shadow.MAX_WAITING_REQUESTS", 2)
    registered("challenger")
    shadow = Shadow(RegistrySource("champion", cache.from_env()), scorer.load)
    assert soon(lambda: "0 compared" in shadow.state())
    given = requests(1)[0]
    for _ in range(300):
        shadow.offer(given, [{"tier": "A", "p_churn": 0.5, "value": 1.0, "model": "first"}])
    assert " 0 dropped" not in shadow.state()
    shadow.close()


def test_means_moves_and_quantiles_are_those_of_all_that_was_added() -> None:
    """Against NumPy on everything at once."""
    drawn = np.random.default_rng(3)
    p, q, value, other = drawn.random((4, 500))
    result = Differences()
    for k in range(500):
        ours = {"tier": "A" if value[k] > 0.5 else "D", "p_churn": p[k], "value": value[k]}
        theirs = {"tier": "A" if other[k] > 0.5 else "D", "p_churn": q[k], "value": other[k]}
        result.add([ours], [theirs])
    figures = result.figures()
    assert figures["compared"] == 500
    assert figures["tier_changed_share"] == pytest.approx(np.mean((value > 0.5) != (other > 0.5)))
    assert figures["moved/A_D"] == np.sum((value > 0.5) & (other <= 0.5))
    assert figures["p_churn_mean_abs_diff"] == pytest.approx(np.abs(p - q).mean())
    assert figures["value_mean_diff"] == pytest.approx((other - value).mean())
    assert figures["value_diff_q95"] == pytest.approx(np.quantile(other - value, 0.95))


def test_the_sample_for_quantiles_stays_bounded_and_fair() -> None:
    """30,000 differences 0, 1, 2, ...: the median of the kept ones lies near the middle, 15,000."""
    result = Differences()
    same = {"tier": "A", "p_churn": 0.5}
    for k in range(30_000):
        result.add([same | {"value": 0.0}], [same | {"value": float(k)}])
    assert len(result._sample) == 10_000
    assert result.figures()["value_diff_q50"] == pytest.approx(15_000, rel=0.05)
