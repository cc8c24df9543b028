"""A Spark cluster of one master and some workers, each a process of its own on the loopback, stopped one by one."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pyspark

from tests.command_line import ROOT

SPARK_CLASS = Path(pyspark.__file__).parent / "bin" / "spark-class"
DEPLOY = "org.apache.spark.deploy"
HERE = "127.0.0.1"
START_SECONDS = 90.0


class Cluster(NamedTuple):
    """`url` is what --master takes; one process per worker."""

    url: str
    workers: list[psutil.Process]


@contextlib.contextmanager
def running(folder: Path, n_workers: int) -> Iterator[Cluster]:
    """A cluster whose workers have one core each. Every process that was started is gone after the block."""
    started: list[psutil.Process] = []
    port = free_port()
    url = f"spark://{HERE}:{port}"
    try:
        started.append(_start(folder, "master", f"{DEPLOY}.master.Master", "--port", str(port)))
        wait_for(lambda: _contains(folder / "master.log", "New state: ALIVE"), "the master")
        for k in range(n_workers):
            options = ("--cores", "1", "--memory", "600m", "--work-dir", str(folder / f"work-{k}"), url)
            started.append(_start(folder, f"worker-{k}", f"{DEPLOY}.worker.Worker", *options))
        for k in range(n_workers):
            log = folder / f"worker-{k}.log"
            wait_for(lambda log=log: _contains(log, "Successfully registered with master"), log.stem)  # type: ignore[misc]
        yield Cluster(url, started[1:])
    finally:
        for process in reversed(started):
            kill(process)


def kill(process: psutil.Process) -> None:
    """The machine loses power: the process and those it started end at once, each by its own id."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = [process, *process.children(recursive=True)]
        for each in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        psutil.wait_procs(family, timeout=10)


def wait_for(is_so: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"{what} did not come in {seconds:.0f} s"
        time.sleep(0.02)


def around() -> dict[str, str]:
    """What every process of the cluster finds in its environment, its Python workers too."""
    ours = {"PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": HERE, "OMP_NUM_THREADS": "1"}
    return {**os.environ, **ours, "SPARK_DAEMON_MEMORY": "200m"}


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind((HERE, 0))
        return int(asked.getsockname()[1])


def _start(folder: Path, name: str, kind: str, *options: str) -> psutil.Process:
    command = [str(SPARK_CLASS), kind, "--host", HERE, "--webui-port", "0", *options]
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=around(), cwd=folder)
    return psutil.Process(process.pid)


def _contains(log: Path, text: str) -> bool:
    return text in log.read_text(encoding="utf-8", errors="replace")
