"""Starting Spark, or joining the Spark that is already there.

Whoever runs under spark-submit, in a notebook or on a managed cluster has a Spark with settings of its own: it is used
as it is and never stopped. Where there is none, one is started, quiet and on this machine unless a master is named.
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
SAID_LINES = 3
# Of an application that we start; what spark-submit, spark-defaults or the caller say goes first.
OURS = {"spark.app.name": "tiercast", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
# On one machine there is nobody to look at the web page, and no network to listen on.
LOCAL = {
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": LOOPBACK,
    "spark.driver.host": LOOPBACK,
    "spark.sql.shuffle.partitions": str(4 * (os.cpu_count() or 1)),
}
# Of our own view of that application: a column or a sum must mean the same here as in DuckDB.
MEANING = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    "spark.sql.csv.parser.columnPruning.enabled": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.execution.arrow.pyspark.fallback.enabled": "false",
}


class Joined(NamedTuple):
    """A session of our own in a Spark application; `is_ours` when we started that application and must end it.

    `log` is the folder in which what Spark's own process says is kept, None where that goes where it always goes.
    """

    session: Any
    is_ours: bool
    log: pathlib.Path | None

    def leave(self) -> None:
        """End the application if it is ours."""
        if self.is_ours:
            _stop(self.session)
        if self.log is not None:
            shutil.rmtree(self.log, ignore_errors=True)


def join(master: str | None = None, memory: str | None = None, conf: dict[str, str] | None = None) -> Joined:
    """The running application, else a new one on `master` (else TIERCAST_SPARK_MASTER, Spark's own settings, here).

    `memory` is what the driver may take ("2GB"), for an application that is started here. Raises `BadInput` when Spark
    or Java are not there, or the master does not answer.
    """
    running = _pyspark().sql.SparkSession.getActiveSession()
    if running is not None:
        return Joined(_own_view(running), False, None)
    asked = {"spark.master": master or os.environ.get(MASTER), **(conf or {})}
    asked["spark.driver.memory"] = _in_javas_words(memory) if memory else asked.get("spark.driver.memory")
    told = {name: value for name, value in asked.items() if value is not None}
    log = None
    if GATEWAY not in os.environ:  # else spark-submit has started Java already
        _require_java()
        log = pathlib.Path(tempfile.mkdtemp(prefix="tiercast-spark-"))
    return Joined(_own_view(_start(told, log)), True, log)


def _own_view(session: Any) -> Any:
    """Settings and views of our own, so that a notebook's Spark is as it was when we are gone."""
    own = session.newSession()
    for name, value in MEANING.items():
        own.conf.set(name, value)
    return own


def _settings(told: dict[str, str]) -> Any:
    """What we were told, then what spark-submit and spark-defaults say, then our own defaults. Java is running."""
    settings = _pyspark().SparkConf()
    for name, value in told.items():
        settings.set(name, value)
    settings.setIfMissing("spark.master", HERE)
    is_local = str(settings.get("spark.master")).startswith("local")
    for name, value in (OURS | (LOCAL if is_local else {})).items():
        settings.setIfMissing(name, value)
    if is_local:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else Spark takes the first python3 of PATH
    return settings


def _in_javas_words(memory: str) -> str:
    """Java knows 2g where DuckDB says 2GB.

    >>> _in_javas_words("2GB"), _in_javas_words("512 MB"), _in_javas_words("1g")
    ('2g', '512m', '1g')
    """
    short = memory.replace(" ", "").lower().removesuffix("b").removesuffix("i")
    if not (short[:-1].isdecimal() and short[-1:] in "kmgt"):
        raise errors.BadInput("the data engine cannot start", first=f"memory {memory}", hint="write it like 2GB")
    return short


def _start(told: dict[str, str], log: pathlib.Path | None) -> Any:
    """A new application. Java's own words go into a file, of which the last are quoted when it does not start."""
    from pyspark.core.context import SparkContext

    said = None if log is None else log / "spark.log"
    try:
        is_first = said is not None and SparkContext._gateway is None
        SparkContext._ensure_initialized(gateway=_java(told, said) if is_first else None)
        settings = _settings(told)
        session = _pyspark().sql.SparkSession.builder.config(conf=settings).getOrCreate()
    except Exception as error:  # py4j and pyspark have no family of errors in common
        raise _no_start(error, told.get("spark.master", "as Spark's settings say"), said) from error
    session.sparkContext.setLogLevel("ERROR")
    return session


def _java(told: dict[str, str], said: pathlib.Path | None) -> Any:
    from pyspark.java_gateway import launch_gateway

    settings = _pyspark().SparkConf(loadDefaults=False).setAll(list(told.items()))
    with (said or pathlib.Path(os.devnull)).open("wb") as file:
        return launch_gateway(settings, {"stdout": file, "stderr": file})  # type: ignore[no-untyped-call]


def _stop(session: Any) -> None:
    from pyspark.core.context import SparkContext

    session.stop()
    gateway, SparkContext._gateway, SparkContext._jvm = SparkContext._gateway, None, None
    if gateway is not None and getattr(gateway, "proc", None) is not None:
        gateway.shutdown()
        gateway.proc.stdin.close()  # Java ends when nobody holds the other end
        gateway.proc.wait(timeout=30)


def _no_start(error: Exception, master: str, said: pathlib.Path | None) -> errors.BadInput:
    lines = said.read_text(encoding="utf-8", errors="replace").splitlines() if said and said.exists() else []
    told = [line.strip() for line in lines if "Exception" in line or "rror" in line][:SAID_LINES]
    return errors.BadInput(
        "Spark cannot start",
        first="; ".join([f"master {master}", str(error).strip().splitlines()[0], *told]),
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
