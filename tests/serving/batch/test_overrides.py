from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests import make_tables, scored_tables
from tiercast.contract import errors
from tiercast.training.train import Trained

HEADER = "customer_id,tier,reason,by,until\n"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return scored_tables.write(tmp_path_factory.mktemp("purchases"), scored_tables.purchases(400))


def score(trained: Trained, source: str, folder: Path, rows: str | None) -> dict[str, dict[str, object]]:
    given: dict[str, Any] = (
        {} if rows is None else {"overrides": make_tables.write_text(folder, HEADER + rows, "overrides.csv")}
    )
    table: pa.Table = scored_tables.score(trained.bundle, source, folder / "scores.parquet", **given)
    return {row["customer_id"]: row for row in table.to_pylist()}


def test_a_tier_set_by_hand_is_there_until_its_day_and_the_numbers_stay(
    trained: Trained, source: str, tmp_path: Path
) -> None:
    plain = score(trained, source, tmp_path, None)
    chosen, past, *rest = sorted(plain)
    other = "A" if plain[chosen]["tier"] != "A" else "D"
    rows = f"{chosen},{other},a promise,Ann,1998-07-02\n{past},{other},long ago,Ann,1998-07-01\n"
    given = score(trained, source, tmp_path, rows)
    assert given[chosen]["tier"] == other
    for name in ("p_churn", "value", "value_low", "value_high", "clv"):
        assert given[chosen][name] == plain[chosen][name]
    assert {one: given[one] for one in (past, *rest)} == {one: plain[one] for one in (past, *rest)}


def test_confidence_and_action_speak_of_the_tier_that_is_given(trained: Trained, source: str, tmp_path: Path) -> None:
    plain = score(trained, source, tmp_path, None)
    chosen = sorted(plain)[0]
    given = {tier: score(trained, source, tmp_path, f"{chosen},{tier},why,Ann,1999-01-01\n")[chosen] for tier in "ABCD"}
    sure = {tier: float(str(row["tier_confidence"])) for tier, row in given.items()}
    assert sure["A"] + sure["C"] + sure["D"] == pytest.approx(1.0)
    assert sure["B"] == sure["D"] == given["B"]["p_churn"]
    assert len({str(row["action"]) for row in given.values()}) > 1


def test_a_row_without_a_customer_tier_or_day_is_refused(trained: Trained, source: str, tmp_path: Path) -> None:
    for row in (",A,why,Ann,1999-01-01\n", "00001,,why,Ann,1999-01-01\n", "00001,A,why,Ann,\n"):
        with pytest.raises(errors.BadInput):
            score(trained, source, tmp_path, row)
    assert not (tmp_path / "scores.parquet").exists()


def test_an_unknown_letter_is_refused(trained: Trained, source: str, tmp_path: Path) -> None:
    with pytest.raises(errors.BadInput, match="none of A, B, C, D, E, F"):
        score(trained, source, tmp_path, "00001,Z,why,Ann,1999-01-01\n")
    assert not (tmp_path / "scores.parquet").exists()
