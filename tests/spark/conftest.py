"""One Spark for all tests: starting it costs seconds, and every test looks at it through a session of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tiercast.contract import errors

# Small tables: compiling a query for the JVM would take longer than running it. The cluster's test does compile.
SETTINGS = {
    "spark.driver.memory": "1g",
    "spark.sql.shuffle.partitions": "2",
    "spark.default.parallelism": "2",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A Spark on this machine with two cores, as a notebook has one; without Java the test skips and says so."""
    from tiercast.features.engines import spark_session

    try:
        joined = spark_session.join(master="local[2]", conf=SETTINGS)
    except errors.BadInput as missing:
        pytest.skip(str(missing))
    yield joined.session
    joined.close()
