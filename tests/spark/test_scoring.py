"""Scores that Spark writes are those of one machine, column by column, and appear all at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import dataset, parquet

from tests import make_tables, scored_tables
from tests.scored_tables import AS_OF
from tests.spark import shop
from tests.spark.alike import assert_alike
from tiercast.contract import errors, scores
from tiercast.features.reading import Sources
from tiercast.models import bundle_folder
from tiercast.models.bundle import Bundle
from tiercast.serving.batch import totals
from tiercast.serving.spark import folder as folders
from tiercast.training.train import Trained


@pytest.fixture(scope="module")
def engine(spark: Any) -> Iterator[Any]:
    from tiercast.features.engines.spark import SparkEngine

    with SparkEngine() as opened:
        yield opened


def packed(bundle: Bundle, folder: Path) -> tuple[Bundle, dict[str, bytes]]:
    bundle_folder.save(bundle, folder / "bundle")
    return bundle, bundle_folder.packed(folder / "bundle")


@pytest.fixture(scope="module")
def real(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, dict[str, bytes]]:
    return packed(trained.bundle, tmp_path_factory.mktemp("real"))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return scored_tables.write(tmp_path_factory.mktemp("purchases"), scored_tables.purchases(60))


def score(engine: Any, with_files: Any, sources: Sources, as_of: dt.date, out: Path, **how: Any) -> Any:
    from tiercast.serving.spark import scoring

    return scoring.score_all(engine, with_files[0], with_files[1], sources, as_of, out, **how)


def of_one_machine(bundle: Bundle, sources: Sources, as_of: dt.date, out: Path, **how: Any) -> pa.Table:
    places = {name: getattr(sources, name) for name in ("customers", "interactions", "overrides")}
    return scored_tables.score(bundle, sources.transactions, out, as_of=as_of, **places, **how)


@pytest.fixture(scope="module")
def done(engine: Any, real: Any, source: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return score(engine, real, Sources(source), AS_OF, tmp_path_factory.mktemp("scored"))


def test_real_customers_get_the_scores_of_one_machine(done: Any, real: Any, source: str, tmp_path: Path) -> None:
    wanted = of_one_machine(real[0], Sources(source), AS_OF, tmp_path / "scores.parquet")
    found = parquet.read_table(done.path, partitioning=None)
    assert wanted.num_rows > 300
    assert_alike(found, wanted)
    assert done.totals.n_customers == wanted.num_rows
    added = totals.add(totals.EMPTY, wanted)
    for one, other in zip(done.totals.rows(), added.rows(), strict=True):
        numbers = [[cell or 0.0 for cell in row[1:]] for row in (one, other)]
        assert one.tier == other.tier
        assert numbers[0] == pytest.approx(numbers[1], rel=1e-9)


def test_every_file_explains_itself_and_is_in_the_order_of_ids(done: Any, real: Any) -> None:
    files = sorted(done.path.iterdir())
    assert done.path.name == "day=1998-07-01"
    assert [file.name for file in files] == ["part-00000.parquet", "part-00001.parquet"]
    for file in files:
        table = parquet.ParquetFile(file).read()
        assert table.column_names == list(scores.NAMES)
        assert table["customer_id"].to_pylist() == sorted(table["customer_id"].to_pylist())
        assert scores.about(table.schema)["data"] == real[0].about.data
        assert all(scores.about(field)["meaning"] for field in table.schema)


def test_the_folder_of_two_days_is_read_as_it_lies_by_every_reader(
    engine: Any, real: Any, source: str, spark: Any, tmp_path: Path
) -> None:
    out, later = tmp_path / "scores", AS_OF + dt.timedelta(days=30)
    n_rows = {day: score(engine, real, Sources(source), day, out).totals.n_customers for day in (AS_OF, later)}
    by_spark = spark.newSession().read.parquet(str(out))  # with the settings that a user finds
    query = "SELECT as_of, day, count(*) FROM read_parquet($files) GROUP BY ALL"
    by_duckdb = duckdb.connect().execute(query, {"files": f"{out}/*/*.parquet"}).fetchall()
    assert {row.as_of: row["count"] for row in by_spark.groupBy("as_of").count().collect()} == n_rows
    assert by_spark.where("day = '1998-07-01'").count() == n_rows[AS_OF]
    assert set(by_duckdb) == {(day, day, n) for day, n in n_rows.items()}
    assert pd.read_parquet(out)["as_of"].value_counts().to_dict() == n_rows
    assert pd.read_parquet(out, filters=[("day", "=", "1998-07-01")])["as_of"].unique().tolist() == [AS_OF]
    whole = dataset.dataset(out, partitioning="hive")
    assert whole.count_rows(filter=dataset.field("as_of") == AS_OF) == n_rows[AS_OF]
    assert len(pd.read_parquet(out / "day=1998-07-01")) == n_rows[AS_OF]


def test_days_of_the_earlier_name_are_refused_before_anything_is_read(source: str, tmp_path: Path) -> None:
    (tmp_path / "scores" / "as_of=1998-06-01").mkdir(parents=True)
    with pytest.raises(errors.CannotWrite, match="1 of 1 days") as refused:
        folders.check(tmp_path / "scores", AS_OF, Sources(source))
    assert f"mv {tmp_path}/scores/as_of=1998-06-01 {tmp_path}/scores/day=1998-06-01" in str(refused.value)


def test_the_same_run_gives_the_same_bytes(done: Any, engine: Any, real: Any, source: str, tmp_path: Path) -> None:
    again = score(engine, real, Sources(source), AS_OF, tmp_path / "scores")
    for file in done.path.iterdir():
        assert (again.path / file.name).read_bytes() == file.read_bytes()
    assert [path.name for path in (tmp_path / "scores").iterdir()] == ["day=1998-07-01"]


def test_every_optional_table_overrides_and_last_times_tiers_count_as_on_one_machine(
    engine: Any, trained: Trained, tmp_path: Path
) -> None:
    cuts = trained.bundle.cuts._replace(value=6.0, p_churn=0.8, value_band=0.5, p_churn_band=0.2)
    bundle = trained.bundle._replace(spec=shop.EVERY_COLUMN, cuts=cuts)
    files = packed(bundle, tmp_path)
    by_hand = {"customer_id": ["c-000000002", "prospect-1"], "tier": ["A", "B"], "reason": ["x", "y"]}
    by_hand |= {"by": ["me", "me"], "until": ["2030-01-01", "2023-01-01"]}
    sources = shop.typed(tmp_path)._replace(overrides=make_tables.write(tmp_path, by_hand, "overrides.parquet"))
    earlier = dt.date(2023, 6, 1)
    last = score(engine, files, sources, earlier, tmp_path / "scores")
    found = score(engine, files, sources, shop.AS_OF, tmp_path / "scores", previous=str(last.path))
    wanted_last = of_one_machine(bundle, sources, earlier, tmp_path / "last.parquet")
    wanted = of_one_machine(
        bundle, sources, shop.AS_OF, tmp_path / "now.parquet", previous=str(tmp_path / "last.parquet")
    )
    assert_alike(parquet.read_table(last.path, partitioning=None), wanted_last)
    assert_alike(parquet.read_table(found.path, partitioning=None), wanted)
    held = [row for row in wanted.to_pylist() if row["tier"] != row["raw_tier"]]
    assert len(held) > 1, "nobody was held in a band: the comparison says nothing of --previous"
    assert found.overrides == 2
    assert "F" in wanted["tier"].to_pylist()


def test_the_data_frame_is_the_same_scores_for_delta_and_tables(engine: Any, done: Any, real: Any, source: str) -> None:
    from tiercast.serving.spark import scoring

    found = scoring.frame(engine, real[0], real[1], Sources(source), AS_OF).toArrow()
    written = parquet.read_table(done.path, partitioning=None)
    assert_alike(found.cast(written.schema), written)


def test_a_job_that_fails_leaves_the_day_as_it_was(engine: Any, real: Any, source: str, tmp_path: Path) -> None:
    """The workers find that a file of the bundle is not what the manifest says."""
    day = folders.day(tmp_path / "scores", AS_OF)
    day.mkdir(parents=True)
    (day / "part-00000.parquet").write_bytes(b"yesterday's")
    bundle, files = real
    spoiled = files | {"model.json": b"{}", "manifest.json": files["manifest.json"] + b" "}
    with pytest.raises(errors.JobFailed, match="BundleRefused"):
        score(engine, (bundle, spoiled), Sources(source), AS_OF, tmp_path / "scores")
    assert [path.name for path in (tmp_path / "scores").iterdir()] == [day.name]
    assert (day / "part-00000.parquet").read_bytes() == b"yesterday's"


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("scores.parquet", "Spark writes a folder"),
        ("data/scores", "lies in the data"),
        (".", "lies in the data"),
        ("s3a://bucket/scores", "a folder that all machines see"),
        ("strange", "something else than scores"),
    ],
)
def test_places_that_no_scores_can_go_to_are_refused_before_the_work(tmp_path: Path, place: str, message: str) -> None:
    (tmp_path / "data").mkdir()
    source = scored_tables.write(tmp_path / "data", scored_tables.purchases(900))
    day = folders.day(tmp_path / "strange", AS_OF)
    day.mkdir(parents=True)
    (day / "thesis.docx").write_text("do not delete", encoding="utf-8")
    out = Path(place) if "://" in place else tmp_path / place
    with pytest.raises(errors.CannotWrite, match=message):
        folders.check(out, AS_OF, Sources(str(tmp_path / "data") if place == "data/scores" else source))
    assert (day / "thesis.docx").exists()


def test_of_a_part_that_was_computed_twice_one_file_is_taken(tmp_path: Path) -> None:
    with folders.worker_folder(tmp_path, AS_OF) as fresh:
        for name in ("run-0-lost.parquet", "run-0-won.parquet"):
            (fresh / name).write_bytes(name.encode())
        folders.publish(tmp_path, AS_OF, fresh, {"part-00000.parquet": folders.PartFile("run-0-won.parquet", 17)})
    assert [path.name for path in tmp_path.rglob("*.parquet")] == ["part-00000.parquet"]
    assert next(tmp_path.rglob("*.parquet")).read_bytes() == b"run-0-won.parquet"


def test_files_that_the_driver_cannot_see_are_no_result(tmp_path: Path) -> None:
    with (
        pytest.raises(errors.CannotWrite, match="not to be seen from here"),
        folders.worker_folder(tmp_path, AS_OF) as fresh,
    ):
        folders.publish(tmp_path, AS_OF, fresh, {"part-00000.parquet": folders.PartFile("elsewhere.parquet", 5)})
    assert list(tmp_path.iterdir()) == []
