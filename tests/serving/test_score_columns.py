"""Responses have the same columns and values as a score file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tiercast.contract.vectors import Vector
from tiercast.models import bundle_folder
from tiercast.models.bundle import Bundle
from tiercast.serving import score
from tiercast.training.train import Trained


@pytest.fixture(scope="module")
def bundle(served: Path) -> Bundle:
    return bundle_folder.load(served)


@pytest.fixture(scope="module")
def frame(bundle: Bundle, trained: Trained) -> dict[str, Vector]:
    """Real customers, every seventh of them turned into a prospect."""
    is_prospect = np.arange(len(trained.final.now.frame["n_orders"])) % 7 == 3
    counted = [name for name in bundle.spec.names if name.startswith(("n_", "spend_"))]
    return {
        name: np.where(is_prospect, 0.0 if name in counted else np.nan, trained.final.now.frame[name])
        for name in bundle.spec.names
    }


@pytest.mark.parametrize("rows", [slice(0), slice(1), slice(3, 4), slice(2, 9), slice(1500)], ids=str)
@pytest.mark.parametrize("monthly_rate", [0.0, 0.01])
def test_the_lists_are_those_of_the_score_table(
    bundle: Bundle, frame: dict[str, Vector], rows: slice, monthly_rate: float
) -> None:
    dated = bundle._replace(about=bundle.about._replace(monthly_rate=monthly_rate))
    some = {name: column[rows] for name, column in frame.items()}
    ids = [f"c-{k}" for k in range(len(some["n_orders"]))]
    table = score.score(dated, pa.table({"customer_id": pa.array(ids, pa.string()), **some}))
    expected = {name: column.to_pylist() for name, column in zip(table.column_names, table.columns, strict=True)}
    lists = {"customer_id": ids, **score.score_lists(dated, some)}
    assert list(lists) == table.column_names
    assert lists == expected
    assert all(type(x) is type(y) for name in lists for x, y in zip(lists[name], expected[name], strict=True))
