"""What is wrong with a file, a place or a machine is said in four parts, on Spark too."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import make_tables
from tests.make_tables import AS_OF
from tiercast.contract import errors
from tiercast.features import reading
from tiercast.features.engines import spark_session
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.features.reading import Sources, presets
from tiercast.workflows import engine_choice

HEADER = "customer_id,ordered_at,amount\n"


@pytest.fixture(scope="module")
def engine(spark: Any) -> Iterator[Any]:
    from tiercast.features.engines.spark import SparkEngine

    with SparkEngine() as opened:
        yield opened


def a_line_with_too_many_cells(folder: Path) -> str:
    return make_tables.write_text(folder, HEADER + "a,2024-01-05,1\nb,2024-01-06,2,3\n")


def letters_of_another_alphabet(folder: Path) -> str:
    path = folder / "orders.csv"
    path.write_bytes((HEADER + "Müller,2024-01-05,1\n").encode("latin1"))
    return str(path)


def a_packed_file_cut_off(folder: Path) -> str:
    path = folder / "orders.csv.gz"
    path.write_bytes(gzip.compress((HEADER + "a,2024-01-05,1\n" * 5000).encode())[:-40])
    return str(path)


def a_parquet_file_cut_off(folder: Path) -> str:
    path = Path(make_tables.write(folder, make_tables.transactions()))
    path.write_bytes(path.read_bytes()[:-20])
    return str(path)


def a_store_that_is_not_there(folder: Path) -> str:
    return f"file://{folder}/nothing"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (a_line_with_too_many_cells, "a line does not fit the header"),
        (letters_of_another_alphabet, "line 2"),
        (a_packed_file_cut_off, "cannot be read"),
        (a_parquet_file_cut_off, "cannot be read"),
        (a_store_that_is_not_there, "does not exist"),
    ],
)
def test_a_source_that_cannot_be_read_is_refused(
    engine: Any, tmp_path: Path, make: Callable[[Path], str], message: str
) -> None:
    with pytest.raises(errors.SourceUnreadable, match=message) as caught:
        reading.read(engine, Sources(make(tmp_path)), AS_OF)
    assert caught.value.first
    assert caught.value.hint


def test_a_remote_store_is_read_by_spark_and_refused_without_it(engine: Any, tmp_path: Path) -> None:
    place = f"file://{make_tables.write(tmp_path, make_tables.transactions())}"
    assert reading.read(engine, Sources(place), AS_OF).report.rows_kept == 6
    with (
        engine_choice.choose("duckdb").start() as here,
        pytest.raises(errors.SourceUnreadable, match="such addresses are not read"),
    ):
        reading.read(here, Sources(place), AS_OF)


def test_values_of_partitions_and_times_in_nanoseconds_are_read_as_they_are(engine: Any, tmp_path: Path) -> None:
    import pyarrow as pa

    folder = tmp_path / "a*b [1]" / "channel=007"
    folder.mkdir(parents=True)
    table = make_tables.transactions()
    nanoseconds = table["ordered_at"].cast(pa.timestamp("ns"))
    make_tables.write(folder, table.set_column(1, "ordered_at", nanoseconds))
    found = reading.read(engine, Sources(str(tmp_path / "a*b [1]")), AS_OF)
    rows = engine.con.to_pyarrow(found.tables.transactions).to_pylist()
    assert {row["channel"] for row in rows} == {"007"}
    assert sorted(row["ordered_at"] for row in rows) == sorted(table["ordered_at"].to_pylist())


def test_an_application_that_was_there_before_goes_on_after_us(spark: Any) -> None:
    spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    with engine_choice.choose("spark").start() as engine:
        assert engine.session.sparkContext is spark.sparkContext
        assert engine.session.conf.get("spark.sql.session.timeZone") == "UTC"
    assert spark.conf.get("spark.sql.session.timeZone") == "Asia/Tokyo"
    assert spark.range(3).count() == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("dask", None), "not known"), (("duckdb", "local[2]"), "a place for Spark")],
)
def test_engines_that_there_are_not_are_refused(arguments: tuple[str, str | None], message: str) -> None:
    with pytest.raises(errors.BadInput, match=message):
        engine_choice.choose(*arguments)


def test_without_java_the_refusal_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(errors.BadInput, match="openjdk-17-jre-headless"):
        spark_session._require_java()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(errors.BadInput, match=f"JAVA_HOME={tmp_path}"):
        spark_session._require_java()


def test_memory_that_java_would_not_understand_is_refused() -> None:
    with pytest.raises(errors.BadInput, match="write it like 2GB"):
        spark_session._java_memory("much")


def test_a_preset_reads_the_same_orders_as_on_one_machine(engine: Any, tmp_path: Path) -> None:
    """One whose times have a form of their own is refused."""
    exports = Path(__file__).parents[1] / "features" / "reading" / "exports"
    given = Sources(str(exports / "shopify.csv"), presets=presets.load("auto"))
    with DuckDBEngine() as here:
        expected = reading.read(here, given, AS_OF).report
    found = reading.read(engine, given, AS_OF).report
    assert found.preset == expected.preset
    assert found.transactions == expected.transactions
    with pytest.raises(errors.SourceUnreadable, match="one machine"):
        reading.read(engine, Sources(str(exports / "magento.csv"), presets=presets.load("auto")), AS_OF)


def test_what_would_be_copied_to_one_machine_is_refused(engine: Any, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "orders.zip", "w") as archive:
        archive.writestr("orders.csv", HEADER)
    (tmp_path / "orders.json").write_text('[{"customer_id": "a", "ordered_at": "2024-01-05", "amount": 1}]')
    for source in (str(tmp_path / "orders.zip"), str(tmp_path / "orders.json"), "mysql://127.0.0.1/shop?table=orders"):
        with pytest.raises(errors.SourceUnreadable) as caught:
            reading.read(engine, Sources(source), AS_OF)
        assert caught.value.first
        assert "Parquet" in caught.value.hint
