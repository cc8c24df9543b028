"""The second way: the registered model as MLflow's own function for Spark, on features that Spark built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import scored_tables
from tests.scored_tables import AS_OF
from tests.spark.alike import assert_alike
from tiercast.features import build, reading
from tiercast.features.reading import Sources
from tiercast.models import bundle_folder
from tiercast.serving import score
from tiercast.training.tracking import store
from tiercast.training.tracking.log_run import LoggedRun

RESULT = "tier string, status string, p_churn double, value double, value_low double, value_high double"


@pytest.mark.slow
def test_the_registered_model_gives_the_scores_of_the_batch(
    spark: Any, written: tuple[Path, LoggedRun], mlruns: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import mlflow
    from pyspark.sql import functions

    from tiercast.features.engines.spark import SparkEngine

    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    store.connect(written[0])
    bundle = bundle_folder.load(written[0] / "bundle")
    with SparkEngine() as engine:
        read = reading.read(engine, Sources(scored_tables.write(tmp_path, scored_tables.purchases(200))), AS_OF)
        features = engine.frame(build.build(read.tables, AS_OF, bundle.spec)).coalesce(1).persist()
        udf = mlflow.pyfunc.spark_udf(
            engine.session,
            "models:/tiercast@challenger",
            result_type=RESULT,
            env_manager="local",
            params={"as_of": AS_OF.isoformat()},
        )
        given = udf(functions.struct(*(functions.col(name) for name in bundle.spec.names)))
        found = features.withColumn("s", given).select("customer_id", "s.*").toArrow()
        wanted = score.score(bundle, features.toArrow())
    assert found.num_rows > 100
    assert_alike(found, wanted.select(found.column_names).replace_schema_metadata().cast(found.schema))
