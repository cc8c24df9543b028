"""The DuckDB engine: its folder, its parts, and whom it blames."""

from __future__ import annotations

import hashlib
import pathlib

import duckdb
import ibis
import pytest

from tiercast.contract import errors
from tiercast.features.engines.duckdb import DuckDBEngine

IDS = [f"c-{k}" for k in range(200)] + ["", "007", "Zoë", "顧客"]


def test_every_row_of_a_customer_lands_in_the_part_that_md5_says() -> None:
    with DuckDBEngine(threads=1) as engine:
        engine.store("ids", ibis.memtable({"customer_id": IDS * 2}), buckets=8)
        for k in range(8):
            expected = [i for i in IDS * 2 if int(hashlib.md5(i.encode()).hexdigest()[:4], 16) % 8 == k]  # noqa: S324
            found = engine.con.to_pyarrow(engine.bucket("ids", k))["customer_id"].to_pylist()
            assert sorted(found) == sorted(expected)


def test_parts_together_are_the_whole_and_an_empty_part_has_the_same_columns() -> None:
    with DuckDBEngine(threads=1) as engine:
        whole = engine.store("one", ibis.memtable({"customer_id": ["a"], "n": [1]}), buckets=16)
        assert engine.con.to_pyarrow(whole).to_pylist() == [{"customer_id": "a", "n": 1}]
        sizes = [engine.con.to_pyarrow(engine.bucket("one", k)).num_rows for k in range(16)]
        assert sorted(sizes) == [0] * 15 + [1]
        assert {engine.bucket("one", k).schema() for k in range(16)} == {whole.schema()}
        with pytest.raises(IndexError):
            engine.bucket("one", 16)


def test_splitting_holds_a_number_of_rows_that_does_not_grow_with_the_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million rows of some 100 bytes do not fit into 64 MB, and there is no disk to spill to."""

    def split(waiting: int) -> int:
        monkeypatch.setattr("tiercast.features.engines.duckdb.ROWS_WAITING", waiting)
        with DuckDBEngine(memory="64MB", threads=1) as engine:
            engine.con.raw_sql("SET max_temp_directory_size = '0B'")
            numbers = ibis.range(1_000_000).unnest().name("n").as_table()
            rows = numbers.select(customer_id=numbers.n.cast("string").hexdigest("md5"), n=numbers.n)
            return int(engine.con.execute(engine.store("rows", rows, buckets=16).n.nunique()))

    assert split(1 << 16) == 1_000_000
    with pytest.raises(errors.CannotWrite):
        split(1 << 23)  # DuckDB's own number for each of 16 parts


def test_the_folder_is_gone_after_the_block_even_after_an_error(tmp_path: pathlib.Path) -> None:
    def fail() -> None:
        with DuckDBEngine(threads=1, temporary=tmp_path) as engine:
            engine.store("ids", ibis.memtable({"customer_id": IDS}))
            assert list(tmp_path.iterdir()) == [engine.folder]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_the_settings_are_those_asked_for() -> None:
    with DuckDBEngine(memory="512MB", threads=1) as engine:
        found = engine.con.raw_sql(
            "SELECT current_setting('threads'), current_setting('memory_limit'), current_setting('TimeZone'),"
            " current_setting('enable_progress_bar')"
        ).fetchone()
    assert found == (1, "488.2 MiB", "UTC", False)  # 512 million bytes


def test_a_query_that_needs_more_than_the_memory_limit_says_so() -> None:
    with (
        DuckDBEngine(memory="20MB", threads=1) as engine,
        pytest.raises(errors.CannotWrite) as caught,
        engine.reading("x"),
    ):
        engine.con.raw_sql("SELECT list(range) FROM range(20000000)").fetchall()
    assert "memory limit" in str(caught.value)


def test_a_mistake_of_ours_is_not_blamed_on_the_file() -> None:
    with DuckDBEngine(threads=1) as engine, pytest.raises(duckdb.CatalogException), engine.reading("orders.parquet"):
        engine.con.raw_sql("SELECT * FROM no_such_table")
