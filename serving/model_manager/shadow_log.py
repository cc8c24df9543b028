"""The MLflow run that a shadow's figures are logged to. Serving writes to MLflow nowhere else.

Counts, means and quantiles are logged; none of them can hold a customer's data.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from tiercast.serving import registry

EXPERIMENT = "tiercast-shadow"


class ShadowLog:
    """One run, created with the first figures. `served` and `challenger` are the names of the two models."""

    def __init__(self, served: str, challenger: str) -> None:
        self._tags = {"answering": served, "shadow": challenger}
        self._run_id: str | None = None
        self._step = 0

    def write(self, figures: Mapping[str, float]) -> None:
        """Log the current figures as the next step. Raises what MLflow raises."""
        mlflow = registry.connect()
        client = mlflow.MlflowClient()
        if self._run_id is None:
            experiment = client.get_experiment_by_name(EXPERIMENT)
            experiment_id = experiment.experiment_id if experiment else client.create_experiment(EXPERIMENT)
            self._run_id = client.create_run(experiment_id, run_name="shadow", tags=self._tags).info.run_id
        at = int(time.time() * 1000)
        metrics = [mlflow.entities.Metric(f"shadow/{name}", number, at, self._step) for name, number in figures.items()]
        client.log_batch(self._run_id, metrics=metrics)
        self._step += 1

    def end(self) -> None:
        """Mark the run as finished, if there is one."""
        if self._run_id is not None:
            registry.connect().MlflowClient().set_terminated(self._run_id)
