from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from tests import score_files
from tiercast.contract import errors, scores
from tiercast.contract import moves as contract
from tiercast.features.engines.duckdb import Engine
from tiercast.serving.batch import tier_moves
from tiercast.serving.batch.tier_moves import TierMoves
from tiercast.tiers import moves

LATER = dt.date(2024, 7, 1)
NAN = float("nan")


def compare(old: str, new: str, **how: Any) -> TierMoves:
    with Engine(threads=1) as engine:
        return tier_moves.compare(engine, old, new, **how)


def two(folder: Path, **newer: Any) -> tuple[str, str]:
    """Two score files of one customer each, comparable until something in the newer one is changed."""
    old = score_files.write(folder / "old.parquet", ["c"], ["A"], [10.0])
    return old, score_files.write(folder / "new.parquet", ["c"], ["B"], [9.0], **{"as_of": LATER, **newer})


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, pd.DataFrame]:
    """Two files of about 3,000 customers, some only in one, and what pandas makes of them."""
    folder, rng = tmp_path_factory.mktemp("crowd"), np.random.default_rng(8)
    frames = []
    for name, day in (("old", score_files.AS_OF), ("new", LATER)):
        ids = sorted(rng.choice(4000, 3000, replace=False))
        tier = rng.choice(list("ABCDEF"), 3000)
        value = np.where(tier == "F", NAN, rng.integers(1, 500, 3000))
        risk = np.where(tier == "F", NAN, rng.random(3000).round(3))
        names = [f"c-{one:04}" for one in ids]
        reasons = [["one_order_only"] if one % 2 else [] for one in ids]
        score_files.write(
            folder / f"{name}.parquet",
            names,
            tier.tolist(),
            value.tolist(),
            as_of=day,
            p_churn=risk.tolist(),
            reasons=reasons,
        )
        frames.append(pd.DataFrame({"customer_id": names, "tier": tier, "value": value, "p_churn": risk}))
    both = frames[0].merge(frames[1], on="customer_id", how="outer", suffixes=("_old", "_new"))
    return str(folder / "old.parquet"), str(folder / "new.parquet"), both


def test_the_matrix_of_two_files_is_the_crosstab_of_their_outer_join(crowd: tuple[str, str, pd.DataFrame]) -> None:
    old, new, both = crowd
    found = compare(old, new).matrix
    was, became = (both[name].fillna("") for name in ("tier_old", "tier_new"))
    wanted = pd.crosstab(was, became).reindex(index=moves.PLACES, columns=moves.PLACES, fill_value=0)
    assert (found.customers == wanted.to_numpy()).all()
    assert (found.before.sum(), found.after.sum()) == (both.value_old.sum(), both.value_new.sum())


def test_the_largest_falls_come_first_and_ties_by_id(crowd: tuple[str, str, pd.DataFrame]) -> None:
    old, new, both = crowd
    way = moves.direction(*(both[n].fillna("").to_numpy().astype("<U1") for n in ("tier_old", "tier_new")))
    fallen = both[way == "down"].assign(change=lambda f: f.value_new.fillna(0) - f.value_old.fillna(0))
    wanted = fallen.sort_values(["change", "customer_id"]).customer_id.head(50).tolist()
    found = compare(old, new, top=50).falls
    assert [row["customer_id"] for row in found] == wanted
    assert {row["direction"] for row in found} == {"down"}


def test_the_file_holds_everybody_who_moved_once_in_order_and_explains_itself(
    crowd: tuple[str, str, pd.DataFrame], tmp_path: Path
) -> None:
    old, new, both = crowd
    compare(old, new, out=tmp_path / "moves.parquet")
    table = parquet.read_table(tmp_path / "moves.parquet")
    moved = both[both.tier_old.fillna("") != both.tier_new.fillna("")].sort_values("customer_id")
    frame = table.to_pandas()
    assert frame.customer_id.tolist() == moved.customer_id.tolist()
    np.testing.assert_allclose(frame.p_churn_change, moved.p_churn_new - moved.p_churn_old)
    np.testing.assert_allclose(frame.value_change, moved.value_new.fillna(0) - moved.value_old.fillna(0))
    assert frame.old_tier.isna().tolist() == moved.tier_old.isna().tolist()
    assert table.schema.names == [column.name for column in contract.MOVES]
    assert scores.about(table.schema)["grain"] == contract.GRAIN
    gone = frame[frame.direction == "out"]
    assert len(gone)
    assert all(len(reasons) == 0 for reasons in gone.reasons)


def test_the_same_two_files_give_the_same_bytes(crowd: tuple[str, str, pd.DataFrame], tmp_path: Path) -> None:
    old, new, _ = crowd
    for name, threads in (("one", 1), ("two", 2)):
        with Engine(threads=threads) as engine:
            tier_moves.compare(engine, old, new, out=tmp_path / f"{name}.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_reasons_are_those_of_the_newer_scores(tmp_path: Path) -> None:
    old = score_files.write(tmp_path / "o.parquet", ["c"], ["A"], [10.0], reasons=[["frequent_buyer"]])
    new = score_files.write(tmp_path / "n.parquet", ["c"], ["E"], [1.0], as_of=LATER, reasons=[["silent_long"]])
    assert compare(old, new).falls[0]["reasons"] == ["silent_long"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"churn_days": 60}, "horizons differ"),
        ({"value_days": 180}, "horizons differ"),
        ({"currency": "EUR"}, "currencies differ"),
        ({"as_of": dt.date(2024, 5, 1)}, "older than the first"),
        ({"notes": {"as_of": "soon"}}, "of which day"),
        ({"tier": ["Z"]}, "none of A to F"),
    ],
)
def test_what_cannot_be_compared_is_refused(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    old = score_files.write(tmp_path / "old.parquet", ["c"], ["A"], [10.0])
    given: dict[str, Any] = {"tier": ["B"], "as_of": LATER} | changed
    new = score_files.write(tmp_path / "new.parquet", ["c"], given.pop("tier"), [9.0], **given)
    with pytest.raises(errors.BadInput, match=message) as caught:
        compare(old, new)
    assert caught.value.first
    assert caught.value.exit_code == 2


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    old, new = two(tmp_path)
    table = parquet.read_table(new)
    notes = table.schema.metadata[scores.KEY].replace(f'"format": {scores.FORMAT}'.encode(), b'"format": 99')
    parquet.write_table(table.replace_schema_metadata({scores.KEY: notes}), new)
    with pytest.raises(errors.BadInput, match="format 99"):
        compare(old, new)


def test_a_customer_who_is_there_twice_is_named(tmp_path: Path) -> None:
    old = score_files.write(tmp_path / "o.parquet", ["c", "d", "c"], ["A", "B", "A"], [1.0, 2.0, 3.0])
    new = score_files.write(tmp_path / "n.parquet", ["c"], ["A"], [1.0], as_of=LATER)
    with pytest.raises(errors.BadInput, match="more than once") as caught:
        compare(old, new)
    assert caught.value.count == 1
    assert str(caught.value.first).startswith("c in ")


def test_files_that_are_no_scores_are_refused(tmp_path: Path) -> None:
    old, new = two(tmp_path)
    compare(old, new, out=tmp_path / "moves.parquet")
    parquet.write_table(parquet.read_table(old).replace_schema_metadata({}), tmp_path / "bare.parquet")
    cut = Path(new).read_bytes()
    (tmp_path / "cut.parquet").write_bytes(cut[: len(cut) // 2])
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "manifest.json").write_text("{}", encoding="ascii")
    message = {
        "moves.parquet": "nothing of being scores",
        "bare.parquet": "nothing of being scores",
        "cut.parquet": "cannot be read",
        "bundle": "this is a bundle",
        "missing.parquet": "no such file",
    }
    for name, words in message.items():
        with pytest.raises(errors.BadInput, match=words):
            compare(str(tmp_path / name), new)


def test_the_same_file_twice_and_a_target_among_the_inputs_are_refused(tmp_path: Path) -> None:
    old, new = two(tmp_path)
    with pytest.raises(errors.BadInput, match="given twice"):
        compare(old, str(tmp_path / "." / "old.parquet"))
    before = Path(old).read_bytes()
    with pytest.raises(errors.CannotWrite, match="one of the files compared"):
        compare(old, new, out=Path(old))
    assert Path(old).read_bytes() == before
