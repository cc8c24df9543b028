"""The process of one job: `python -m tiercast.serving.jobs.job_process JOB_ID CLAIM`, started by the worker.

Where the store, the jobs file and the bundle are comes from the environment, for everybody on the machine can read a
command line, and the store's address may hold a password. SIGTERM ends it: what was half done is removed, and the job
is queued again, or cancelled if it was called off. Once its scores are being switched to, it ends as done.
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

from sqlalchemy.engine import Engine

from tiercast.contract import errors
from tiercast.features.engines.duckdb import Engine as DataEngine
from tiercast.models import bundle_folder
from tiercast.models.bundle import Bundle
from tiercast.serving import json_log
from tiercast.serving.batch import scoring
from tiercast.serving.batch.scoring import Scored
from tiercast.serving.jobs import claims, job_queue, results, sources
from tiercast.serving.jobs.heartbeat import Pulse, Stopped, Stopping
from tiercast.serving.jobs.job import Job
from tiercast.serving.jobs.sources import Source
from tiercast.serving.store import database, generations, publish

Given = TypeVar("Given")
STORE, BUNDLE = "TIERCAST_STORE", "TIERCAST_BUNDLE"
NICENESS = 10
SCORED_SHARE = 0.8
"""Of a job that publishes, how much of the bar is full when the scores are written."""
PATIENCE_SECONDS, PAUSE_SECONDS = 600.0, 2.0


class Work(NamedTuple):
    """What is to be done, with everything that it needs."""

    engine: Engine
    mine: Job
    source: Source
    bundle: pathlib.Path
    pulse: Pulse
    stopping: Stopping

    def do(self) -> dict[str, Any]:
        """The facts of a job that is done. Raises `Stopped`, and our errors."""
        self.pulse.tell(step="loading the model")
        bundle = bundle_folder.load(self.bundle)
        self.pulse.tell(step="reading", model=bundle.about.model)
        scored = self._score(bundle)
        facts = {"result": results.outcome(scored, bundle), "model": bundle.about.model, "progress": 1.0}
        if self._publishes:
            facts["generation_id"] = patiently(self._publish, errors.StoreBusy)
        return facts

    def _score(self, bundle: Bundle) -> Scored:
        source, as_of = self.source, self.mine.as_of
        share = SCORED_SHARE if self._publishes else 1.0
        with DataEngine(memory=source.memory, threads=source.threads) as data:
            return scoring.score_all(
                data,
                bundle,
                source.tables(),
                as_of,
                source.target(as_of),
                reasons=self.mine.options.get("reasons", source.reasons),
                last=source.last(as_of),
                tell=lambda k, n: self._tell("scoring", share * k / max(n, 1)),
            )

    def _tell(self, step: str, progress: float) -> None:
        self.stopping.check()
        self.pulse.tell(step=step, progress=progress)

    def _publish(self) -> int:
        path, done = str(self.source.target(self.mine.as_of)), 0

        def tell(step: str) -> None:
            nonlocal done
            done += 1
            self._tell("publishing", SCORED_SHARE + (1 - SCORED_SHARE) * min(1.0, done / publish.STEPS))
            if step == "switching":
                self.stopping.finish()

        keep = self.source.keep or generations.KEEP
        return publish.publish(self.engine, path, keep=keep, tell=tell).generation.id

    @property
    def _publishes(self) -> bool:
        return self.source.publish and self.mine.options.get("publish", True) is True


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Do one job. The exit code is 0 if its end stands in the store; else whoever started it has to write that."""
    stopping = Stopping()
    signal.signal(signal.SIGTERM, stopping)
    os.nice(NICENESS)
    _log_as_json()
    job_id, claim = arguments
    engine = database.open(environment[STORE])
    mine = job_queue.find(engine, job_id)
    if mine.claim != claim:
        return 0
    with Pulse(engine, mine) as pulse:
        end = _ended(engine, mine, environment, pulse, stopping)
    if end is None:
        return 1
    patiently(end, errors.StoreUnavailable)
    return 0


def _ended(
    engine: Engine, mine: Job, environment: Mapping[str, str], pulse: Pulse, stopping: Stopping
) -> Callable[[], object] | None:
    """Do the work; what then has to be written into the store, None if the store went away."""
    source = None
    try:
        stopping.begin()
        source = _source(mine.source, pathlib.Path(environment[sources.VARIABLE]))
        facts = Work(engine, mine, source, pathlib.Path(environment[BUNDLE]), pulse, stopping).do()
        stopping.finish()
    except Stopped:
        return lambda: claims.give_back(engine, mine)
    except errors.StoreUnavailable:
        return None
    except Exception as error:
        if stopping.was_raised:  # in the words of an engine that was interrupted
            return lambda: claims.give_back(engine, mine)
        failed = _failure(error, mine, source)
        return lambda: claims.end(engine, mine, "failed", error=failed)
    return lambda: claims.end(engine, mine, "done", **facts)


def _failure(error: Exception, mine: Job, source: Source | None) -> dict[str, Any]:
    if isinstance(error, errors.TiercastError):
        return results.refusal(error, mine.source, source)
    json_log.log_fault(error, mine.job_id)
    return results.fault(error, mine.job_id)


def _source(name: str, file: pathlib.Path) -> Source:
    found = sources.read(file).sources.get(name)
    if found is None:
        hint = "put it back, or submit a job on another source"
        raise errors.BadInput("the jobs file has no such source any more", hint=hint)
    return found


def patiently(action: Callable[[], Given], wait_for: type[errors.TiercastError]) -> Given:
    """The action's result, tried again for ten minutes while it says that it has to wait."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return action()
        except wait_for:
            if time.monotonic() > until:
                raise
            time.sleep(PAUSE_SECONDS)


def _log_as_json() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(json_log.JsonFormatter())
    logging.getLogger().handlers = [handler]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
