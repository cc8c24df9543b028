"""A cluster that loses a machine in the middle of the work gives the same scores as one machine."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from pyarrow import parquet

from tests import scored_tables
from tests.command_line import COMMAND
from tests.scored_tables import AS_OF
from tests.spark import small_cluster
from tests.spark.alike import assert_alike
from tiercast.models import bundle_folder
from tiercast.training.train import Trained

PARTS = 12
JOB_SECONDS = 420
SETTINGS = {
    "spark.executor.memory": "500m",
    "spark.executor.cores": "1",
    "spark.default.parallelism": str(PARTS),
    "spark.sql.shuffle.partitions": "4",
    "spark.driver.host": small_cluster.HERE,
    "spark.driver.bindAddress": small_cluster.HERE,
    "spark.ui.enabled": "false",
}


@pytest.mark.slow
def test_a_worker_that_dies_in_the_middle_changes_nothing(trained: Trained, tmp_path: Path) -> None:
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, and there is none here: apt-get install openjdk-17-jre-headless")
    bundle_folder.save(trained.bundle, tmp_path / "bundle")
    source = scored_tables.write(tmp_path, scored_tables.purchases(20))
    wanted = scored_tables.score(trained.bundle, source, tmp_path / "wanted.parquet")
    with small_cluster.running(tmp_path, 2) as cluster:
        job = start(tmp_path, source, cluster.url)
        try:
            fresh = tmp_path / "scores" / f".day={AS_OF}.workers"
            is_under_way = lambda: job.poll() is not None or any(fresh.glob("*.part"))  # noqa: E731
            small_cluster.wait_for(is_under_way, "the first part", JOB_SECONDS)
            small_cluster.kill(cluster.workers[0])
            n_begun = len(list(fresh.glob("*.part")))
            said, complaints = job.communicate(timeout=JOB_SECONDS)
        finally:
            job.kill()
    assert job.returncode == 0, complaints
    assert 0 < n_begun < PARTS, "the worker did not die in the middle"
    assert json.loads(said)["customers"] == wanted.num_rows
    day = tmp_path / "scores" / f"day={AS_OF}"
    assert len(list(day.iterdir())) == PARTS
    assert [path.name for path in (tmp_path / "scores").iterdir()] == [day.name]
    assert_alike(parquet.read_table(day, partitioning=None), wanted)


def start(folder: Path, source: str, master: str) -> subprocess.Popen[str]:
    """`tiercast score` on the cluster, as a process of its own."""
    settings = " ".join(f"--conf {name}={value}" for name, value in SETTINGS.items())
    command = [*COMMAND, "score", source, "--as-of", str(AS_OF), "--bundle", str(folder / "bundle"), "--json"]
    command += ["--out", str(folder / "scores"), "--engine", "spark", "--master", master, "--memory", "700MB"]
    around = small_cluster.around() | {"PYSPARK_SUBMIT_ARGS": f"{settings} pyspark-shell"}
    return subprocess.Popen(command, env=around, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
