"""The process of one job: `python -m tiercast.serving.jobs.job_process JOB_ID CLAIM`, started by the worker.

Store, jobs file and bundle come from the environment: everybody on the machine can read a command line, and the
store's address may contain a password. SIGTERM stops the job: partial output is removed, and the job is queued again,
or cancelled if a caller asked for that. SIGTERM no longer stops it once its scores are being served.
"""

from __future__ import annotations

import logging
import os
import pathlib
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from tiercast.contract import errors
from tiercast.features.engines.duckdb import Engine as DataEngine
from tiercast.models import bundle_folder
from tiercast.models.bundle import Bundle
from tiercast.serving import json_log
from tiercast.serving.batch import scoring
from tiercast.serving.batch.scoring import BatchResult
from tiercast.serving.jobs import claims, job_queue, results, sources
from tiercast.serving.jobs.heartbeat import Heartbeat
from tiercast.serving.jobs.job import BatchJob
from tiercast.serving.jobs.sources import ConfiguredSource
from tiercast.serving.jobs.termination import Terminated, TerminationHandler
from tiercast.serving.store import database, generations, publish
from tiercast.serving.store.database import Store

Result = TypeVar("Result")
STORE, BUNDLE = "TIERCAST_STORE", "TIERCAST_BUNDLE"
NICENESS = 10
SCORING_SHARE = 0.8
"""The progress of a job that publishes, once its scores are written."""
RETRY_SECONDS, PAUSE_SECONDS = 600.0, 2.0


class JobRun(NamedTuple):
    """One attempt at a job, and everything it needs."""

    engine: Store
    job: BatchJob
    source: ConfiguredSource
    bundle_folder: pathlib.Path
    heartbeat: Heartbeat
    termination: TerminationHandler

    def execute(self) -> dict[str, Any]:
        """Score, and publish where the source says so; returns the job's final columns. Raises `Terminated`."""
        self.heartbeat.update(step="loading the model")
        bundle = bundle_folder.load(self.bundle_folder)
        self.heartbeat.update(step="reading", model=bundle.about.model)
        scored = self._score(bundle)
        final = {"result": results.summary(scored, bundle), "model": bundle.about.model, "progress": 1.0}
        if self._publishes:
            final["generation_id"] = retry(self._publish, errors.StoreBusy)
        return final

    def _score(self, bundle: Bundle) -> BatchResult:
        source, as_of = self.source, self.job.as_of
        share = SCORING_SHARE if self._publishes else 1.0
        with DataEngine(memory=source.memory, threads=source.threads) as data:
            return scoring.score_all(
                data,
                bundle,
                source.tables(),
                as_of,
                source.target(as_of),
                reasons=self.job.options.get("reasons", source.reasons),
                previous=source.previous_scores(as_of),
                on_progress=lambda done, total: self._report("scoring", share * done / max(total, 1)),
            )

    def _publish(self) -> int:
        path, n_done = str(self.source.target(self.job.as_of)), 0

        def on_step(step: str) -> None:
            nonlocal n_done
            n_done += 1
            self._report("publishing", SCORING_SHARE + (1 - SCORING_SHARE) * min(1.0, n_done / publish.STEPS))
            if step == "switching":
                self.termination.forbid()

        keep = self.source.keep or generations.KEEP
        return publish.publish(self.engine, path, keep=keep, on_step=on_step).generation.id

    def _report(self, step: str, progress: float) -> None:
        self.termination.check()
        self.heartbeat.update(step=step, progress=progress)

    @property
    def _publishes(self) -> bool:
        return self.source.publish and self.job.options.get("publish", True) is True


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one job. Exit code 0: its end is in the store. Otherwise the worker has to write it."""
    termination = TerminationHandler()
    signal.signal(signal.SIGTERM, termination)
    os.nice(NICENESS)
    _log_as_json()
    job_id, claim = arguments
    engine = database.open(environment[STORE])
    job = job_queue.get(engine, job_id)
    if job.claim != claim:
        return 0
    with Heartbeat(engine, job) as heartbeat:
        write_end = _run(engine, job, environment, heartbeat, termination)
    if write_end is None:
        return 1
    retry(write_end, errors.StoreUnavailable)
    return 0


def _run(
    engine: Store, job: BatchJob, environment: Mapping[str, str], heartbeat: Heartbeat, termination: TerminationHandler
) -> Callable[[], object] | None:
    """Execute the job; returns the call that writes its end, None if the store went away."""
    source = None
    try:
        termination.allow()
        source = _read_source(job.source, pathlib.Path(environment[sources.VARIABLE]))
        bundle = pathlib.Path(environment[BUNDLE])
        final = JobRun(engine, job, source, bundle, heartbeat, termination).execute()
        termination.forbid()
    except Terminated:
        return lambda: claims.release(engine, job)
    except errors.StoreUnavailable:
        return None
    except Exception as error:
        if termination.was_raised:  # a library that was interrupted raised an error of its own
            return lambda: claims.release(engine, job)
        failure = _failure(error, job, source)
        return lambda: claims.end(engine, job, "failed", error=failure)
    return lambda: claims.end(engine, job, "done", **final)


def _failure(error: Exception, job: BatchJob, source: ConfiguredSource | None) -> dict[str, Any]:
    if isinstance(error, errors.TiercastError):
        return results.from_error(error, job.source, source)
    json_log.log_fault(error, job.job_id)
    return results.internal_error(error, job.job_id)


def _read_source(name: str, file: pathlib.Path) -> ConfiguredSource:
    source = sources.read(file).sources.get(name)
    if source is None:
        hint = "put it back, or submit a job on another source"
        raise errors.BadInput("the jobs file has no such source any more", hint=hint)
    return source


def retry(action: Callable[[], Result], on: type[errors.TiercastError]) -> Result:
    """The action's result; repeated for ten minutes while it raises `on`."""
    deadline = time.monotonic() + RETRY_SECONDS
    while True:
        try:
            return action()
        except on:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_SECONDS)


def _log_as_json() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(json_log.JsonFormatter())
    logging.getLogger().handlers = [handler]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
