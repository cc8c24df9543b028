"""Start Spark, or join the running application.

Under spark-submit, in a notebook or on a managed cluster, an application with its own settings is running: it is used
as it is and never stopped. Otherwise one is started, on this machine unless a master is named.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import sys
import tempfile
from typing import Any, NamedTuple

from tiercast.contract import errors

MASTER, GATEWAY = "TIERCAST_SPARK_MASTER", "PYSPARK_GATEWAY_PORT"
HERE = "local[*]"
LOOPBACK = "127.0.0.1"
QUOTED_LINES = 3
# Defaults of an application that we start; spark-submit, spark-defaults and the caller take precedence.
DEFAULTS = {"spark.app.name": "tiercast", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
# On one machine, nobody needs the web page or a port on the network.
LOCAL = {
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": LOOPBACK,
    "spark.driver.host": LOOPBACK,
    "spark.sql.shuffle.partitions": str(4 * (os.cpu_count() or 1)),
}
# Settings of our session: columns and sums must mean the same as in DuckDB.
SESSION = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    "spark.sql.csv.parser.columnPruning.enabled": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.execution.arrow.pyspark.fallback.enabled": "false",
}


class SparkApplication(NamedTuple):
    """A session of our own in a Spark application; `is_ours` where we started the application and must stop it.

    `log` is the folder of the log of Spark's process; None where the process is not ours.
    """

    session: Any
    is_ours: bool
    log: pathlib.Path | None

    def close(self) -> None:
        """Stop the application if it is ours."""
        if self.is_ours:
            _stop(self.session)
        if self.log is not None:
            shutil.rmtree(self.log, ignore_errors=True)


def join(master: str | None = None, memory: str | None = None, conf: dict[str, str] | None = None) -> SparkApplication:
    """The running application, else a new one on `master` (else TIERCAST_SPARK_MASTER, Spark's own settings, here).

    `memory` is what the driver may take ("2GB"), for an application that is started here. Raises `BadInput` when Spark
    or Java are not there, or the master does not answer.
    """
    running = _pyspark().sql.SparkSession.getActiveSession()
    if running is not None:
        return SparkApplication(_new_session(running), False, None)
    given = {"spark.master": master or os.environ.get(MASTER), **(conf or {})}
    given["spark.driver.memory"] = _java_memory(memory) if memory else given.get("spark.driver.memory")
    settings = {name: value for name, value in given.items() if value is not None}
    log = None
    if GATEWAY not in os.environ:  # else spark-submit has started Java already
        _require_java()
        log = pathlib.Path(tempfile.mkdtemp(prefix="tiercast-spark-"))
    return SparkApplication(_new_session(_start(settings, log)), True, log)


def _new_session(session: Any) -> Any:
    """A new session with settings and views of its own: those of a notebook stay as they were."""
    own = session.newSession()
    for name, value in SESSION.items():
        own.conf.set(name, value)
    return own


def _configuration(given: dict[str, str]) -> Any:
    """The given settings, then those of spark-submit and spark-defaults, then our defaults. Java must be running."""
    settings = _pyspark().SparkConf()
    for name, value in given.items():
        settings.set(name, value)
    settings.setIfMissing("spark.master", HERE)
    is_local = str(settings.get("spark.master")).startswith("local")
    for name, value in (DEFAULTS | (LOCAL if is_local else {})).items():
        settings.setIfMissing(name, value)
    if is_local:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else Spark takes the first python3 of PATH
    return settings


def _java_memory(memory: str) -> str:
    """A memory size as Java writes it: 2g for DuckDB's 2GB.

    >>> _java_memory("2GB"), _java_memory("512 MB"), _java_memory("1g")
    ('2g', '512m', '1g')
    """
    short = memory.replace(" ", "").lower().removesuffix("b").removesuffix("i")
    if not (short[:-1].isdecimal() and short[-1:] in "kmgt"):
        raise errors.BadInput("the data engine cannot start", first=f"memory {memory}", hint="write it like 2GB")
    return short


def _start(given: dict[str, str], log: pathlib.Path | None) -> Any:
    """Start an application. Java's output goes to a file, which is quoted when the start fails."""
    from pyspark.core.context import SparkContext

    output = None if log is None else log / "spark.log"
    try:
        is_first = output is not None and SparkContext._gateway is None
        SparkContext._ensure_initialized(gateway=_java(given, output) if is_first else None)
        settings = _configuration(given)
        session = _pyspark().sql.SparkSession.builder.config(conf=settings).getOrCreate()
    except Exception as error:  # py4j and pyspark have no family of errors in common
        raise _start_error(error, given.get("spark.master", "as Spark's settings say"), output) from error
    session.sparkContext.setLogLevel("ERROR")
    return session


def _java(given: dict[str, str], output: pathlib.Path | None) -> Any:
    from pyspark.java_gateway import launch_gateway

    settings = _pyspark().SparkConf(loadDefaults=False).setAll(list(given.items()))
    with (output or pathlib.Path(os.devnull)).open("wb") as file:
        return launch_gateway(settings, {"stdout": file, "stderr": file})  # type: ignore[no-untyped-call]


def _stop(session: Any) -> None:
    from pyspark.core.context import SparkContext

    session.stop()
    gateway, SparkContext._gateway, SparkContext._jvm = SparkContext._gateway, None, None
    if gateway is not None and getattr(gateway, "proc", None) is not None:
        gateway.shutdown()
        gateway.proc.stdin.close()  # Java ends when its input is closed
        gateway.proc.wait(timeout=30)


def _start_error(error: Exception, master: str, output: pathlib.Path | None) -> errors.BadInput:
    lines = output.read_text(encoding="utf-8", errors="replace").splitlines() if output and output.exists() else []
    quoted = [line.strip() for line in lines if "Exception" in line or "rror" in line][:QUOTED_LINES]
    return errors.BadInput(
        "Spark cannot start",
        first="; ".join([f"master {master}", str(error).strip().splitlines()[0], *quoted]),
        hint="check --master and that its machines can reach this one, or leave it out to run Spark on this machine",
    )


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")
    if not (pathlib.Path(home, "bin", "java").is_file() if home else shutil.which("java")):
        raise errors.BadInput(
            "Spark needs Java 17 or 21, and there is none here",
            first=f"JAVA_HOME={home}" if home else "no java on the PATH",
            hint="apt-get install openjdk-17-jre-headless (or set JAVA_HOME), or leave out --engine spark",
        )


def _pyspark() -> Any:
    try:
        import pyspark
        import pyspark.sql
    except ImportError as error:
        hint = "pip install 'tiercast[spark]', or leave out --engine spark"
        raise errors.BadInput("Spark is not installed", first=str(error), hint=hint) from error
    return pyspark
