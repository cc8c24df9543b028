"""What two real trainings left behind in MLflow, and what `tiercast compare` makes of it."""

from __future__ import annotations

from pathlib import Path

import mlflow
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests import command_line
from tests.training.comparison.conftest import PLANT, Pair
from tiercast.contract import errors
from tiercast.training.comparison import kept
from tiercast.training.tracking import compare, log_run, lookup, registry


def files(pair: Pair) -> list[Path]:
    return [path for path in (pair.folder / "mlruns").rglob("*") if path.is_file()]


def test_no_customers_id_is_anywhere_in_mlruns_nor_in_the_bundles(pair: Pair) -> None:
    ids = [each for each in pair.one.final.now.customer_id.to_pylist() if each.startswith(PLANT)]
    assert len(ids) > 500
    written = [*files(pair), *(path for path in pair.folder.glob("bundle_*/*") if path.is_file())]
    assert {".parquet", ".db", ".json"} <= {path.suffix for path in written}
    assert not [path for path in written if PLANT.encode() in path.read_bytes()]


def test_no_customers_id_hides_in_the_compressed_columns(pair: Pair) -> None:
    tables = [parquet.read_table(path) for path in files(pair) if path.suffix == ".parquet"]
    assert len(tables) == 4
    for table in tables:
        texts = [name for name in table.column_names if table.schema.field(name).type == pa.string()]
        assert texts == ["tier"]
        assert set(table["tier"].to_pylist()) <= set("ABCDE")
        assert PLANT.encode() not in b"".join(table.schema.metadata.values())


def test_a_run_is_told_to_keep_nothing(pair: Pair, logged: Pair, tmp_path: Path) -> None:
    settings = pair.one.settings
    silent = settings.model_copy(update={"tracking": settings.tracking.model_copy(update={"kept_customers": 0})})
    run_id = log_run.log(pair.one._replace(settings=silent), tmp_path / "bundle", register=False).run_id
    (subject,) = compare.subjects([run_id])
    assert subject.kept == {}
    assert subject.weekly is not None, "totals of all customers together"


def test_a_run_keeps_no_more_than_it_is_told(pair: Pair) -> None:
    assert pair.one.churn is not None
    found = kept.draw("churn", pair.one.churn, 100)
    assert len(found.actual) == 100 < found.window.n_customers
    at = kept.positions(found.window, 100)
    assert found.p_churn.tolist() == pair.one.churn.forecasts["tiercast"][at].tolist()


def test_a_challenger_that_is_not_better_on_the_champions_window_is_refused(logged: Pair) -> None:
    one, other = (str(lookup.version(run_id, "tiercast").version) for run_id in logged.run_ids)
    mlflow.MlflowClient().set_registered_model_alias("tiercast", "champion", one)
    with pytest.raises(errors.GateRefused) as refused:
        registry.promote(other, who="ana")
    assert "G8 It stands against the champion: churn_brier " in str(refused.value)
    assert "on the same customers" in str(refused.value)


@pytest.mark.slow
def test_the_command_compares_as_table_as_json_and_as_a_page_kept_with_each_run(pair: Pair, tmp_path: Path) -> None:
    short = [run_id[:8] for run_id in pair.run_ids]
    page = tmp_path / "out" / "page.html"
    found = command_line.one_object(command_line.run("compare", *short, "--html", page, "--json", cwd=pair.folder))
    (against,) = found["against"]
    assert against["differences"]["churn_brier"]["is_paired"] is True
    assert {"customers", "changed", "value_at_stake", "moves"} <= set(against["tiers"])
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    kept_pages = [path for path in files(pair) if path.name == "page.html"]
    assert len(kept_pages) == 2
    told = command_line.run("compare", *short, cwd=pair.folder)
    assert told.returncode == 0, told.stderr
    assert f"{short[1]} against {short[0]}" in told.stdout
    assert "customers change tier" in told.stdout
    assert told.stderr == ""


def test_the_command_refuses_a_run_that_is_not_there(pair: Pair) -> None:
    kind, said = command_line.refusal(command_line.run("compare", pair.run_ids[0], "0" * 32, cwd=pair.folder))
    assert kind == "BadInput"
    assert "no such run" in said
