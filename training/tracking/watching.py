"""A watch, written down: a run of its own kind with every number as a metric, the report and the pictures."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from importlib import metadata

import mlflow
from matplotlib.figure import Figure

from tiercast.training.evaluation import ranges
from tiercast.training.monitoring.checks import LEVELS
from tiercast.training.monitoring.outcomes import Outcome
from tiercast.training.monitoring.watch import WatchReport
from tiercast.training.plots import churn, drift
from tiercast.training.tracking import log_run, store

WATCH = "watch"
REPORT = "watch.json"
NOT_A_NAME = re.compile(r"[^\w\-. /]")


def log(watched: WatchReport) -> str:
    """Log to the connected store (`store.connect`) and return the run's id. Raises `BadInput`."""
    title = f"watch {watched.as_of}"
    with store.translated_errors(), mlflow.start_run(experiment_id=store.experiment_id(), run_name=title) as run:
        mlflow.set_tags(_tags(watched))
        mlflow.log_metrics(metrics(watched))
        mlflow.log_dict(watched.as_dict(), REPORT)
        for name, figure in _figures(watched):
            mlflow.log_figure(figure, f"figures/{name}")
        return str(run.info.run_id)


def metrics(watched: WatchReport) -> dict[str, float]:
    """Every finite number under a name that MLflow takes.

    drift/psi/<feature>, drift/missing/<feature>    index and share without the number
    volume/<measure>_<days>d                        the newest period over the one before
    outcome/churn_<metric>, outcome/value_<metric>  the newest closed window, with _low and _high
    level/<code>                                    0 quiet, 1 unknown, 2 notice, 3 alarm; the gravest per code
    """
    found: dict[str, float] = {}
    for row in watched.drift:
        found |= (
            {} if row.psi is None else {f"drift/psi/{row.name}": row.psi, f"drift/missing/{row.name}": row.missing_now}
        )
    for step in watched.steps:
        found |= {f"volume/{step.measure}_{step.days}d": step.now / step.before} if step.before else {}
    for outcome in sorted(watched.outcomes, key=lambda each: each.window.scores.as_of):
        found |= _of_outcome(outcome)
    for check in watched.checks:
        name = f"level/{check.code}"
        found[name] = max(found.get(name, 0.0), float(LEVELS.index(check.level)))
    return {NOT_A_NAME.sub("_", name): value for name, value in found.items() if math.isfinite(value)}


def _of_outcome(outcome: Outcome) -> dict[str, float]:
    found: dict[str, float] = {}
    for target, card in (("churn", outcome.churn), ("value", outcome.value)):
        for name, metric in (card or {}).items():
            start = f"outcome/{target}_{name}"
            found |= {start: metric.value, f"{start}_low": metric.low, f"{start}_high": metric.high}
    if outcome.level is not None:
        found["outcome/churn_level"] = outcome.level
    if outcome.intervals is not None:
        shares = outcome.intervals.overall._asdict()
        found |= {f"outcome/value_{name}": shares[name] for name in ranges.SHARES if shares[name] is not None}
    return found


def _tags(watched: WatchReport) -> dict[str, str]:
    return {
        log_run.KIND: WATCH,
        "as_of": watched.as_of.isoformat(),
        "model": watched.model,
        "trained_as_of": watched.trained_as_of.isoformat(),
        "level": watched.level,
        "tiercast": metadata.version("tiercast"),
    }


def _figures(watched: WatchReport) -> Iterator[tuple[str, Figure]]:
    if any(row.psi is not None for row in watched.drift):
        yield "drift.png", drift.bars(watched.drift, watched.trained_as_of.isoformat(), watched.as_of.isoformat())
    for outcome in watched.outcomes:
        if outcome.pairs is not None:
            yield f"reliability-{outcome.window.scores.as_of}.png", churn.reliability(*outcome.pairs)
