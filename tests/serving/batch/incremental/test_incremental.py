"""What a run goes on from saves work and changes nothing: the bytes are those of a run over everything."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import compute, parquet

from tests import scored_tables
from tests.serving.batch.incremental import runs
from tests.spark import shop
from tiercast.features import parts, reading
from tiercast.features.engines.duckdb import Engine
from tiercast.features.reading import Sources
from tiercast.models.bundle import Bundle
from tiercast.serving.batch import incremental, saved_state
from tiercast.training.train import Trained

SHOP_DAYS = tuple(shop.AS_OF - dt.timedelta(back) for back in (40, 39, 38, 30, 0))


def rewrite(source: str, change: Callable[[pa.Table], pa.Table]) -> None:
    parquet.write_table(change(parquet.read_table(source)), source)


def test_day_after_day_the_bytes_are_those_of_a_full_run(bundle: Bundle, source: str, tmp_path: Path) -> None:
    said = [runs.assert_same_as_all(bundle, source, day, tmp_path) for day in runs.DAYS]
    assert [one.last for one in said] == [None, *runs.DAYS[:-1]]
    assert said[0].why == "nothing was kept yet"
    assert all(0 < one.computed < one.customers / 4 for one in said[1:3]), "a day touches few"
    assert {one.changed for one in said} == {0}


def test_a_base_in_parts_gets_more_parts_and_the_same_bytes(
    bundle: Bundle, source: str, tmp_path: Path, in_parts: None
) -> None:
    counts = []
    for day in (runs.DAYS[0], runs.DAYS[1], runs.DAYS[-1]):
        runs.assert_same_as_all(bundle, source, day, tmp_path)
        counts.append(json.loads((tmp_path / "state" / "state.json").read_text())["parts"])
    assert counts[0] > 2
    assert counts[-1] > counts[0]


@pytest.fixture
def shop_sources(tmp_path: Path) -> Sources:
    (tmp_path / "in").mkdir()
    return shop.typed(tmp_path / "in")


def test_every_table_and_column_with_refunds_and_faults(
    trained: Trained, shop_sources: Sources, tmp_path: Path
) -> None:
    bundle = runs.as_of(trained.bundle._replace(spec=shop.EVERY_COLUMN), SHOP_DAYS[0])
    said = [runs.assert_same_as_all(bundle, shop_sources, day, tmp_path) for day in SHOP_DAYS[:2]]
    assert 0 < said[1].computed < said[1].customers / 2


def test_every_feature_of_every_table_is_the_same(shop_sources: Sources, tmp_path: Path) -> None:
    """The small bundle's trees look at few of them: here all are compared, bit by bit."""
    for day in SHOP_DAYS:
        with Engine(threads=2) as engine:
            read = reading.read(engine, shop_sources, day)
            full = parts.features(engine, read.tables, day, shop.EVERY_COLUMN, 0, 1)
            with incremental.update(engine, read, shop.EVERY_COLUMN, tmp_path / "state") as aggregates:
                kept = parts.features(engine, read.tables, day, shop.EVERY_COLUMN, 0, 1, aggregates.part(0))
        assert kept.equals(full)
        assert kept.column_names == ["customer_id", *shop.EVERY_COLUMN.names]
        if day != SHOP_DAYS[0]:
            assert 0 < aggregates.report.computed < aggregates.report.customers
    assert all(full[name].null_count < full.num_rows for name in shop.EVERY_COLUMN.names)


def test_the_same_day_again_computes_nobody(bundle: Bundle, source: str, tmp_path: Path) -> None:
    runs.score(bundle, source, runs.FIRST, tmp_path / "a.parquet", tmp_path / "state")
    before = sorted((tmp_path / "state").rglob("*"))
    said = runs.assert_same_as_all(bundle, source, runs.FIRST, tmp_path)
    assert (said.last, said.computed, said.changed) == (runs.FIRST, 0, 0)
    assert sorted((tmp_path / "state").rglob("*")) == before


def old_rows(table: pa.Table) -> Any:
    return compute.less(table["ordered_at"], pa.scalar(runs.FIRST).cast(table["ordered_at"].type))


def other_amount(table: pa.Table) -> pa.Table:
    amounts = table["amount"].to_pylist()
    amounts[0] += 1
    return table.set_column(table.column_names.index("amount"), "amount", pa.array(amounts))


def exchanged_amounts(table: pa.Table) -> pa.Table:
    """Two old rows with each other's amount: the sums of all columns stay as they were."""
    amounts = table["amount"].to_pylist()
    old = [k for k, is_old in enumerate(old_rows(table).to_pylist()) if is_old]
    k = next(k for k in old if amounts[k] != amounts[old[0]])
    amounts[old[0]], amounts[k] = amounts[k], amounts[old[0]]
    return table.set_column(table.column_names.index("amount"), "amount", pa.array(amounts))


def late_row(table: pa.Table) -> pa.Table:
    """The first row once more: equal in every column, and yet an order line more."""
    return pa.concat_tables([table, table.slice(0, 1)])


def vanished_customer(table: pa.Table) -> pa.Table:
    return table.filter(compute.not_equal(table["customer_id"], table["customer_id"][0]))


def without_old_rows(table: pa.Table) -> pa.Table:
    """All that is old of one customer is gone, what is new is not."""
    is_one = compute.equal(table["customer_id"], table["customer_id"][0])
    return table.filter(compute.invert(compute.and_(is_one, old_rows(table))))


def other_quantity(table: pa.Table) -> pa.Table:
    quantities = [k + 1 for k in table["quantity"].to_pylist()[:1]] + table["quantity"].to_pylist()[1:]
    return table.set_column(table.column_names.index("quantity"), "quantity", pa.array(quantities))


@pytest.mark.parametrize(
    "change", [other_amount, exchanged_amounts, late_row, vanished_customer, without_old_rows, other_quantity]
)
def test_history_that_changed_is_found_and_computed_again(
    bundle: Bundle, source: str, tmp_path: Path, change: Callable[[pa.Table], pa.Table]
) -> None:
    rewrite(source, lambda table: table.sort_by("ordered_at"))
    runs.score(bundle, source, runs.FIRST, tmp_path / "before.parquet", tmp_path / "state")
    rewrite(source, change)
    said = runs.assert_same_as_all(bundle, source, runs.DAYS[1], tmp_path)
    assert said.last == runs.FIRST
    assert 1 <= said.changed <= 2
    assert said.computed < said.customers / 4
    assert f"rows before that day have changed for {said.changed}" in said.line()
    again = runs.assert_same_as_all(bundle, source, runs.DAYS[1], tmp_path)
    assert (again.changed, again.computed) == (0, 0)


def test_rows_in_another_order_and_other_files_have_not_changed(bundle: Bundle, source: str, tmp_path: Path) -> None:
    runs.score(bundle, source, runs.FIRST, tmp_path / "before.parquet", tmp_path / "state")
    table = parquet.read_table(source).sort_by("amount")
    (tmp_path / "many").mkdir()
    for k in range(2):
        half = table.num_rows // 2
        scored_tables.write(tmp_path / "many", table.slice(k * half, half if k == 0 else None), f"{k}.parquet")
    said = runs.assert_same_as_all(bundle, str(tmp_path / "many"), runs.FIRST, tmp_path)
    assert (said.changed, said.computed) == (0, 0)


def test_other_data_altogether_is_computed_anew(bundle: Bundle, source: str, tmp_path: Path) -> None:
    runs.score(bundle, source, runs.FIRST, tmp_path / "before.parquet", tmp_path / "state")
    other = scored_tables.write(tmp_path, scored_tables.purchases(30))
    said = runs.assert_same_as_all(bundle, other, runs.FIRST, tmp_path)
    assert said.changed > 500


def test_what_other_versions_kept_is_computed_anew(
    bundle: Bundle, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.score(bundle, source, runs.FIRST, tmp_path / "before.parquet", tmp_path / "state")
    monkeypatch.setattr(saved_state, "LIBRARIES", ("duckdb",))
    said = runs.assert_same_as_all(bundle, source, runs.DAYS[1], tmp_path)
    assert (said.last, said.why) == (None, "what was kept is of other versions")
