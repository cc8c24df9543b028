from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests import scored_tables
from tiercast.contract import errors, scores
from tiercast.tiers import grid
from tiercast.training.train import Trained


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return scored_tables.write(tmp_path_factory.mktemp("purchases"), scored_tables.purchases(400))


def score(trained: Trained, source: str, folder: Path, **given: Any) -> pa.Table:
    return scored_tables.score(trained.bundle, source, folder / "scores.parquet", **given)


def earlier(today: pa.Table, folder: Path, tier: str) -> str:
    """Today's file as if it were a month old, with everybody in one tier."""
    notes = {key: value.replace(b"1998-07-01", b"1998-06-01") for key, value in (today.schema.metadata or {}).items()}
    at = today.schema.get_field_index("tier")
    letters = pa.array([tier] * today.num_rows, pa.string())
    old = today.set_column(at, today.schema.field("tier"), letters).replace_schema_metadata(notes)
    parquet.write_table(old, folder / "old.parquet")
    return str(folder / "old.parquet")


def test_last_times_tiers_hold_who_is_near_a_cut_and_the_raw_tier_stays(
    trained: Trained, source: str, tmp_path: Path
) -> None:
    wide = trained.bundle._replace(cuts=trained.bundle.cuts._replace(value_band=0.45, p_churn_band=0.4))
    out = tmp_path / "scores.parquet"
    plain = scored_tables.score(wide, source, out)
    held = scored_tables.score(wide, source, out, previous=earlier(plain, tmp_path, "A"))
    assert held["raw_tier"].equals(plain["tier"])
    p_churn, value = (plain[name].to_numpy(zero_copy_only=False) for name in ("p_churn", "value"))
    raw = plain["tier"].to_numpy(zero_copy_only=False).astype("<U1")
    expected = grid.hold(raw, np.full(len(raw), "A"), p_churn, value, wide.cuts)
    assert held["tier"].to_pylist() == expected.tolist()
    assert (expected != raw).any()


def test_scores_of_the_same_day_or_later_are_no_previous_ones(trained: Trained, source: str, tmp_path: Path) -> None:
    today = scored_tables.write(tmp_path, score(trained, source, tmp_path), "today.parquet")
    with pytest.raises(errors.BadInput, match="not of an earlier day"):
        score(trained, source, tmp_path, previous=today)


def test_another_file_than_scores_is_refused(trained: Trained, source: str, tmp_path: Path) -> None:
    with pytest.raises(errors.BadInput, match="nothing of being scores"):
        score(trained, source, tmp_path, previous=source)


def test_value_is_the_product_of_its_parts_in_the_file(trained: Trained, source: str, tmp_path: Path) -> None:
    table = score(trained, source, tmp_path)
    assert tuple(table.column_names) == scores.NAMES
    parts = [table[name].to_numpy() for name in ("p_order", "orders_if_any", "value_per_order")]
    assert np.prod(parts, axis=0) == pytest.approx(table["value"].to_numpy())
