"""The trainings so far, newest first: what `tiercast runs` prints."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from mlflow.entities import Run

from tiercast.training.tracking import lookup, store

SHOWN = {
    "churn_auc": "churn_auc",
    "churn_brier": "churn_brier",
    "churn_ece": "churn_ece",
    "value_ngini": "value_ngini",
    "value_mae": "value_mae",
    "value_bias": "value_bias",
    "above": "value_above",
}


class RunRow(NamedTuple):
    """One training. A number is None where history was too short to judge; `status` is MLflow's word."""

    run_id: str
    started_at: dt.datetime
    as_of: str
    status: str
    churn_auc: float | None
    churn_brier: float | None
    churn_ece: float | None
    value_ngini: float | None
    value_mae: float | None
    value_bias: float | None
    above: float | None
    grades: dict[str, str]
    version: str | None
    aliases: tuple[str, ...]


def runs(limit: int = 20, name: str = "tiercast") -> list[RunRow]:
    """The newest `limit` trainings in the connected store, with the versions of `name` they became."""
    with store.translated_errors():
        found = lookup.trainings(limit)
        became = {str(version.run_id): str(version.version) for version in reversed(lookup.versions(name))}
        held = lookup.aliases(name)
    return [_row(run, became.get(run.info.run_id), held) for run in found]


def _row(run: Run, version: str | None, held: dict[str, tuple[str, ...]]) -> RunRow:
    metrics, info = run.data.metrics, run.info
    return RunRow(
        run_id=info.run_id,
        started_at=dt.datetime.fromtimestamp(info.start_time / 1000, dt.UTC),
        as_of=run.data.tags.get("as_of", ""),
        status=info.status,
        grades=lookup.grades(run),
        version=version,
        aliases=held.get(version, ()) if version else (),
        **{field: metrics.get(metric) for field, metric in SHOWN.items()},
    )
