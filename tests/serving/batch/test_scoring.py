from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests import make_tables, scored_tables
from tests.scored_tables import AS_OF
from tiercast.contract import errors, scores
from tiercast.contract.vectors import Vector
from tiercast.features import build, parts, reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.features.reading import Sources
from tiercast.models import btyd, churn, factors, linear, predict, relative
from tiercast.models import frame as frames
from tiercast.serving import score
from tiercast.serving.batch import scoring
from tiercast.tiers import families, grid, reasons, value_reasons
from tiercast.training.train import Trained


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return scored_tables.write(tmp_path_factory.mktemp("purchases"), scored_tables.purchases())


@pytest.fixture(scope="module")
def scored(trained: Trained, source: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("scored") / "scores.parquet"
    scored_tables.score(trained.bundle, source, out)
    return out


def test_there_is_one_row_per_customer_in_the_contracts_columns(scored: Path) -> None:
    table = parquet.read_table(scored)
    wanted = set(scored_tables.purchases()["customer_id"].to_pylist())
    assert table.column_names == list(scores.NAMES)
    assert table.num_rows == len(wanted)
    assert set(table["customer_id"].to_pylist()) == wanted
    assert table["customer_id"].to_pylist() == sorted(wanted)
    assert set(table["as_of"].to_pylist()) == {AS_OF}


def test_the_file_explains_itself(scored: Path, trained: Trained) -> None:
    schema = parquet.read_schema(scored)
    notes = scores.about(schema)
    assert (notes["churn_days"], notes["value_days"], notes["as_of"]) == (90, 120, "1998-07-01")
    assert notes["data"] == trained.data
    assert all(scores.about(field)["meaning"] for field in schema)


def test_the_same_run_gives_the_same_bytes(scored: Path, trained: Trained, source: str, tmp_path: Path) -> None:
    scored_tables.score(trained.bundle, source, tmp_path / "again.parquet")
    assert (tmp_path / "again.parquet").read_bytes() == scored.read_bytes()


def test_row_order_and_threads_do_not_change_a_byte(scored: Path, trained: Trained, tmp_path: Path) -> None:
    table = scored_tables.purchases()
    shuffled = table.take(pa.array(np.random.default_rng(4).permutation(table.num_rows)))
    source = scored_tables.write(tmp_path, shuffled)
    scored_tables.score(trained.bundle, source, tmp_path / "other.parquet", threads=2)
    assert (tmp_path / "other.parquet").read_bytes() == scored.read_bytes()


def test_files_and_their_splitting_do_not_change_a_byte(scored: Path, trained: Trained, tmp_path: Path) -> None:
    table = scored_tables.purchases()
    (tmp_path / "many").mkdir()
    for k in range(3):
        scored_tables.write(tmp_path / "many", table.slice(k * 200, 200 if k < 2 else None), f"{k}.parquet")
    scored_tables.score(trained.bundle, str(tmp_path / "many"), tmp_path / "other.parquet")
    assert (tmp_path / "other.parquet").read_bytes() == scored.read_bytes()


def test_rows_that_are_doubled_and_dropped_do_not_change_a_byte(trained: Trained, tmp_path: Path) -> None:
    table = scored_tables.purchases()
    once = scored_tables.write(tmp_path, table.group_by(table.column_names).aggregate([]), "once.parquet")
    twice = scored_tables.write(tmp_path, pa.concat_tables([table, table]), "twice.parquet")
    scored_tables.score(trained.bundle, once, tmp_path / "a.parquet")
    scored_tables.score(trained.bundle, twice, tmp_path / "b.parquet", duplicates="drop")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_parts_give_the_same_rows_and_the_same_bytes_again(
    scored: Path, trained: Trained, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "ROWS_PER_PART", 90)
    steps: list[tuple[int, int]] = []
    in_parts = scored_tables.score(
        trained.bundle, source, tmp_path / "one.parquet", on_progress=lambda k, of: steps.append((k, of))
    )
    n_parts = steps[0][1]
    assert n_parts > 3
    assert steps == [(k, n_parts) for k in range(n_parts + 1)]
    assert in_parts.sort_by("customer_id").equals(parquet.read_table(scored))
    scored_tables.score(trained.bundle, source, tmp_path / "two.parquet", threads=2)
    assert (tmp_path / "two.parquet").read_bytes() == (tmp_path / "one.parquet").read_bytes()


def test_parts_without_a_customer_and_ids_of_any_kind(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three customers in ten parts, most of them empty; ids with blanks, other scripts, zeros in front."""
    monkeypatch.setattr(parts, "ROWS_PER_PART", 1)
    ids = ["007", " a b ", "客户-1"]
    days = ["1998-01-05", "1998-03-01", "1998-05-01", "1998-06-20"]
    lines = [(one, day) for one in ids for day in days[: 4 if one != "007" else 2]]
    source = make_tables.write_text(
        tmp_path, "customer_id,ordered_at,amount,quantity\n" + "".join(f"{one},{day},9.5,1\n" for one, day in lines)
    )
    people = make_tables.write_text(tmp_path, "customer_id,x\n客户-2,1\n007,2\n", "people.csv")
    table = scored_tables.score(trained.bundle, source, tmp_path / "s.parquet", customers=people)
    assert sorted(table["customer_id"].to_pylist()) == sorted([*ids, "客户-2"])
    row = {row["customer_id"]: row for row in table.to_pylist()}["客户-2"]
    assert (row["tier"], row["status"], row["value"], row["p_churn"]) == ("F", "prospect", None, None)
    assert row["reasons"] == ["never_ordered"]


def test_without_reasons_the_numbers_are_the_same(scored: Path, trained: Trained, source: str, tmp_path: Path) -> None:
    quick = scored_tables.score(trained.bundle, source, tmp_path / "quick.parquet", reasons="none")
    full = parquet.read_table(scored)
    assert quick.drop(["reasons", "action"]).equals(full.drop(["reasons", "action"]))
    assert set(map(len, quick["reasons"].to_pylist())) == {0}


def test_reasons_for_the_risky_are_those_that_all_would_get(
    scored: Path, trained: Trained, source: str, tmp_path: Path
) -> None:
    some = scored_tables.score(trained.bundle, source, tmp_path / "risky.parquet", reasons="risky").to_pylist()
    full = parquet.read_table(scored).to_pylist()
    risky = [row["p_churn"] is not None and row["p_churn"] > trained.bundle.cuts.p_churn for row in full]
    assert any(risky)
    assert not all(risky)
    for few, all_, is_risky in zip(some, full, risky, strict=True):
        assert few["reasons"] == (all_["reasons"] if is_risky else [])
        assert few["action"] == all_["action"] or not is_risky


def test_reasons_are_those_of_lightgbms_own_contributions(scored: Path, trained: Trained, source: str) -> None:
    """The long way: contributions by LightGBM itself, per feature, summed by family only where reasons are chosen."""
    bundle = trained.bundle
    learned = bundle.churn.stack
    closed, line, tree = learned.weights
    trees = learned.trees
    assert trees is not None
    assert learned.linear is not None
    with DuckDBEngine(threads=1) as engine:
        read = reading.read(engine, Sources(source), AS_OF)
        features = engine.con.to_pyarrow(build.build(read.tables, AS_OF, bundle.spec).order_by("customer_id"))
    p = predict.predict(bundle, frames.from_arrow(features, bundle.spec.names))
    columns = relative.columns(p.frame, trees.names, learned.days)
    shap = np.asarray(trees.booster.predict(frames.matrix(columns, trees.names), pred_contrib=True))
    parts_of = [(relative.source(name), tree * shap[:, k]) for k, name in enumerate(trees.names)]
    start = churn.start(p.frame)
    parts_of.append((btyd.P_CHURN, (closed + line) * start))
    for name, part in linear.terms(learned.linear, p.frame, start, learned.days).items():
        parts_of.append((btyd.P_CHURN if name == linear.START else relative.source(name), line * part))
    by_family: dict[str, Vector] = {}
    for name, part in parts_of:
        family = families.family_of(name) or ""
        by_family[family] = by_family.get(family, 0.0) + np.nan_to_num(part)
    for name, level in bundle.line.items():
        by_family[families.family_of(name) or ""] -= level
    tiers = grid.numbers(p.tiers)
    of_value = factors.from_cut(p.factors, bundle.cuts.value, bundle.typical[factors.VALUE_PER_ORDER])
    worth = value_reasons.choose(tiers, *of_value, p.frame["n_orders"])
    typical = {**bundle.typical, "churn_days": 90, "inactive_days": bundle.cuts.inactive_days or np.inf}
    codes = reasons.choose(by_family, p.frame, tiers, worth, typical=typical)
    assert parquet.read_table(scored)["reasons"].to_pylist() == reasons.as_lists(codes).to_pylist()


def test_totals_add_up_to_the_file(scored: Path, trained: Trained, source: str, tmp_path: Path) -> None:
    with DuckDBEngine(threads=1) as engine:
        done = scoring.score_all(engine, trained.bundle, Sources(source), AS_OF, tmp_path / "s.parquet")
    table = parquet.read_table(scored).to_pandas()
    assert done.totals.n_customers == len(table)
    assert done.totals.n_borderline == int(table["is_borderline"].sum())
    for row in done.totals.rows():
        here = table[table["tier"] == row.tier]
        assert row.customers == len(here)
        if len(here):
            assert row.value_total == pytest.approx(here["value"].sum())
            assert row.p_churn_mean == pytest.approx(here["p_churn"].mean())
            assert row.value_at_risk == pytest.approx((here["value"] * here["p_churn"]).sum())


def test_tables_without_the_bundles_columns_are_refused_and_what_was_there_stays(
    trained: Trained, tmp_path: Path
) -> None:
    out = tmp_path / "scores.parquet"
    out.write_bytes(b"yesterday's")
    source = scored_tables.write(tmp_path, scored_tables.purchases().drop("quantity"))
    assert "quantity" in trained.bundle.spec.columns
    with pytest.raises(errors.BundleRefused) as caught:
        scored_tables.score(trained.bundle, source, out)
    assert "- transactions.quantity" in str(caught.value)
    assert out.read_bytes() == b"yesterday's"


@pytest.mark.parametrize("place", ["orders.parquet", "folder/scores.parquet", "folder/a/scores.parquet"])
def test_a_target_in_the_data_is_refused(trained: Trained, tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    table = scored_tables.purchases()
    data = scored_tables.write(tmp_path, table)
    if place.startswith("folder"):
        scored_tables.write(tmp_path / "folder", table)
        data = str(tmp_path / "folder")
    before = Path(data).read_bytes() if Path(data).is_file() else sorted(Path(data).iterdir())
    with pytest.raises(errors.CannotWrite, match="lies in the data"):
        scored_tables.score(trained.bundle, data, tmp_path / place)
    assert (Path(data).read_bytes() if Path(data).is_file() else sorted(Path(data).iterdir())) == before


def test_another_day_scores_what_was_known_then(trained: Trained, source: str, tmp_path: Path) -> None:
    later = scored_tables.score(trained.bundle, source, tmp_path / "s.parquet", as_of=dt.date(1998, 8, 1))
    assert set(later["as_of"].to_pylist()) == {dt.date(1998, 8, 1)}
    assert scores.about(later.schema)["as_of"] == "1998-08-01"


def test_a_day_before_the_bundles_own_is_refused_because_the_bundle_knows_its_future(
    trained: Trained, source: str, tmp_path: Path
) -> None:
    out = tmp_path / "s.parquet"
    with pytest.raises(errors.BundleRefused, match="1 day: the bundle was trained on what happened after as_of"):
        scored_tables.score(trained.bundle, source, out, as_of=trained.bundle.about.as_of - dt.timedelta(1))
    assert not out.exists()


def test_margins_are_refused_by_a_bundle_that_learned_amounts(trained: Trained, tmp_path: Path) -> None:
    lines = scored_tables.purchases(400)
    source = scored_tables.write(tmp_path, lines.append_column("margin", lines["amount"]))
    with pytest.raises(errors.BundleRefused, match="trained on amounts"):
        scored_tables.score(trained.bundle, source, tmp_path / "s.parquet")


def test_a_customer_held_near_a_cut_is_explained_by_the_letter_that_they_keep(trained: Trained, source: str) -> None:
    """With bands so wide that everyone keeps their letter, the first two reasons follow that letter."""
    bundle = trained.bundle._replace(cuts=trained.bundle.cuts._replace(value_band=1e9, p_churn_band=1.0))
    with DuckDBEngine(threads=1) as engine:
        read = reading.read(engine, Sources(source), AS_OF)
        features = engine.con.to_pyarrow(build.build(read.tables, AS_OF, bundle.spec))
    directions = {"A": ("loyalty", "high"), "B": ("risk", "high"), "C": ("loyalty", "low"), "D": ("risk", "low")}
    for letter, expected in directions.items():
        previous = np.full(features.num_rows, letter)
        rows = score.score(bundle, features, previous=previous).to_pylist()
        held = [row["reasons"] for row in rows if row["tier"] == letter]
        assert len(held) > 20
        assert {tuple(families.BY_CODE[code][1] for code in codes[:2]) for codes in held} == {expected}


def test_a_bundle_of_grade_d_scores_everybody_and_withholds_the_actions(
    scored: Path, trained: Trained, source: str, tmp_path: Path
) -> None:
    card = trained.bundle.scorecard
    weak = {**card, "value": {**card["value"], "grade": {**card["value"]["grade"], "letter": "D"}}}
    scored_tables.score(trained.bundle._replace(scorecard=weak), source, tmp_path / "weak.parquet")
    ours, usual = parquet.read_table(tmp_path / "weak.parquet"), parquet.read_table(scored)
    assert set(ours["action"].to_pylist()) == {"withheld"}
    assert "withheld" not in usual["action"].to_pylist()
    assert ours.drop_columns(["action"]).equals(usual.drop_columns(["action"]))
