"""Scores as CSV: the rows of the Parquet file, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from tests import scored_tables
from tiercast.contract import errors, scores
from tiercast.features import parts
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.features.reading import Sources
from tiercast.serving.batch import output, scoring
from tiercast.serving.batch.scoring import BatchResult, OnProgress
from tiercast.training.train import Trained

IDS = [
    "=cmd|' /C calc'!A0",
    "+49 30 901820",
    "-7",
    "@ann",
    "\tTab",
    "\rReturn",
    "007",
    'a "quoted", one',
    "北京",
    "c-1",
]
FORMULAS = IDS[:6]
TABLE = pa.table({"customer_id": IDS, "value": [-7.5, 1e-7, 1 / 3, None, 0.0, 1e16, 2.0, 3.0, 4.0, 5.0]})


def write(out: Path, table: pa.Table) -> Path:
    with output.writer(out, table.schema) as append:
        append(table)
    return out


@pytest.mark.parametrize("name", ["scores.csv", "scores.csv.gz", "Scores.CSV"])
def test_no_text_begins_like_a_formula_and_numbers_stay_numbers(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, TABLE)
    opened = gzip.open if name.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["customer_id"] for row in rows] == [f"'{each}" for each in FORMULAS] + IDS[6:]
    assert rows[0]["value"] == "-7.5"
    assert [float(row["value"] or "nan") for row in rows] == pytest.approx(
        TABLE["value"].to_pandas(), nan_ok=True, rel=0
    )
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["scores.csv", "scores.csv.gz"])
def test_an_error_in_the_middle_leaves_the_old_file_and_no_part(tmp_path: Path, name: str) -> None:
    before = write(tmp_path / name, TABLE).read_bytes()
    with pytest.raises(ValueError, match="schema"), output.writer(tmp_path / name, TABLE.schema) as append:
        append(TABLE.drop("value"))
    assert (tmp_path / name).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_without_customers_has_its_header(tmp_path: Path) -> None:
    path = write(tmp_path / "scores.csv", TABLE.slice(0, 0))
    assert path.read_text(encoding="utf-8") == "customer_id,value\n"


def test_the_csv_of_a_run_has_the_rows_of_its_parquet_file_also_with_since(trained: Trained, tmp_path: Path) -> None:
    source = scored_tables.write(tmp_path, scored_tables.purchases(60))
    wanted = scored_tables.score(trained.bundle, source, tmp_path / "scores.parquet").to_pandas()
    for out in (tmp_path / "scores.csv", tmp_path / "again.csv"):  # the second one goes on from what was kept
        with DuckDBEngine(threads=1) as engine:
            since = tmp_path / "kept"
            scoring.score_all(engine, trained.bundle, Sources(source), scored_tables.AS_OF, out, since=since)
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "scores.csv").read_bytes()
    found = pd.read_csv(tmp_path / "scores.csv", dtype={"customer_id": str}, parse_dates=["as_of"])
    assert tuple(found.columns) == scores.NAMES
    wanted["reasons"] = wanted["reasons"].map("; ".join).replace("", None)
    wanted["as_of"] = pd.to_datetime(wanted["as_of"])
    pd.testing.assert_frame_equal(found, wanted, check_dtype=False, check_exact=True)


def test_a_stopped_run_goes_on_and_writes_the_same_csv(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "ROWS_PER_PART", 70)
    source = scored_tables.write(tmp_path, scored_tables.purchases(60))

    def stop(k: int, of: int) -> None:
        if k == 2:
            raise KeyboardInterrupt

    def score(name: str, on_progress: OnProgress = lambda k, of: None) -> BatchResult:
        with DuckDBEngine(threads=1) as engine:
            known, out = Sources(source), tmp_path / name
            return scoring.score_all(engine, trained.bundle, known, scored_tables.AS_OF, out, on_progress=on_progress)

    with pytest.raises(KeyboardInterrupt):
        score("scores.csv", stop)
    assert not (tmp_path / "scores.csv").exists()
    assert score("scores.csv").resumed == 2
    score("undisturbed.csv")
    assert (tmp_path / "scores.csv").read_bytes() == (tmp_path / "undisturbed.csv").read_bytes()


def test_a_csv_of_scores_is_refused_as_last_times_scores_with_what_to_do(trained: Trained, tmp_path: Path) -> None:
    source = scored_tables.write(tmp_path, scored_tables.purchases(200))
    scores_csv = write(tmp_path / "scores.csv", TABLE)
    with pytest.raises(errors.BadInput, match="Hint: pass a Parquet file"):
        scored_tables.score(trained.bundle, source, tmp_path / "scores.parquet", previous=str(scores_csv))
    assert not (tmp_path / "scores.parquet").exists()
