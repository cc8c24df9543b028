"""Where the figures of a shadow go: a run of its own in MLflow. The only part of serving that writes there.

What is logged are counts, means and quantiles; nothing of a customer can be in them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from tiercast.serving import registry

EXPERIMENT = "tiercast-shadow"


class ShadowLog:
    """One run, made with the first figures."""

    def __init__(self, answering: str, shadow: str) -> None:
        self._tags = {"answering": answering, "shadow": shadow}
        self._run_id: str | None = None
        self._step = 0

    def write(self, figures: Mapping[str, float]) -> None:
        """Log the figures as they are now. Raises whatever MLflow raises: the caller goes on without."""
        mlflow = registry.connected()
        client = mlflow.MlflowClient()
        if self._run_id is None:
            experiment = client.get_experiment_by_name(EXPERIMENT)
            where = experiment.experiment_id if experiment else client.create_experiment(EXPERIMENT)
            self._run_id = client.create_run(where, run_name="shadow", tags=self._tags).info.run_id
        at = int(time.time() * 1000)
        metrics = [mlflow.entities.Metric(f"shadow/{name}", number, at, self._step) for name, number in figures.items()]
        client.log_batch(self._run_id, metrics=metrics)
        self._step += 1

    def end(self) -> None:
        """Mark the run as finished, if there is one."""
        if self._run_id is not None:
            registry.connected().MlflowClient().set_terminated(self._run_id)
