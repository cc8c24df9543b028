from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow.entities import Run
from pyarrow import parquet

from tests import score_files
from tests.training.monitoring.conftest import LATER, TRAINED_ON, Place
from tiercast.contract import errors
from tiercast.features import parts, reading
from tiercast.features.engines.duckdb import Engine
from tiercast.features.reading import score_reader
from tiercast.models import bundle_folder
from tiercast.models.bundle import Bundle
from tiercast.models.reference import Reference
from tiercast.training.monitoring import checks, outcomes, watch
from tiercast.training.monitoring.watch import WatchReport
from tiercast.training.tracking import log_run, runs, store, watching


def look(
    place: Place,
    as_of: dt.date = TRAINED_ON,
    scores: Sequence[str] = (),
    *,
    only: Sequence[checks.Part] = checks.PARTS,
    bundle: Bundle | None = None,
) -> WatchReport:
    with Engine(threads=1) as engine:
        old = [score_reader.open_scores(engine, path, outcomes.NEEDED) for path in scores]
        read = reading.read(engine, reading.Sources(place.orders), as_of, is_counted=False)
        return watch.watch(engine, bundle or place.bundle, read, old, only)


@pytest.fixture(scope="module")
def later(place: Place) -> WatchReport:
    return look(place, LATER, [place.scores])


def test_on_the_training_day_itself_all_is_quiet(place: Place) -> None:
    found = look(place)
    assert [check.code for check in found.checks] == ["W1", "W2", "W3", "W4", "W5", "W6"]
    assert found.level == "quiet"
    assert {row.psi for row in found.drift} == {0.0}, "the same customers in the same bins"
    assert {row.name for row in found.drift} == {*place.bundle.spec.names, "p_churn", "value"}


def test_every_check_has_its_title_and_the_gravest_level_is_that_of_the_watch(later: WatchReport) -> None:
    assert [check.code for check in later.checks] == list(checks.TITLES)
    assert later.level == checks.worst(check.level for check in later.checks)
    assert all(check.title == checks.TITLES[check.code] for check in later.checks)


def test_parts_of_a_base_give_the_drift_of_the_whole(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = look(place, LATER, only=["drift"])
    monkeypatch.setattr(parts, "ROWS_PER_PART", 500)
    found = look(place, LATER, only=["drift"])
    assert [row._replace(mean_now=None) for row in found.drift] == [row._replace(mean_now=None) for row in whole.drift]
    for row, other in zip(found.drift, whole.drift, strict=True):
        assert row.mean_now == pytest.approx(other.mean_now)


def test_a_bundle_that_was_kept_and_read_again_measures_the_same(place: Place, tmp_path: Path) -> None:
    bundle_folder.save(place.bundle, tmp_path / "bundle")
    again = look(place, LATER, only=["drift"], bundle=bundle_folder.load(tmp_path / "bundle"))
    assert again.drift == look(place, LATER, only=["drift"]).drift


def test_an_older_bundle_without_counts_reports_that_it_has_no_reference(place: Place) -> None:
    old = {name: Reference(each.quantiles) for name, each in place.bundle.reference.items()}
    found = look(place, bundle=place.bundle._replace(reference=old, scorecard={}))
    levels = {check.code: check.level for check in found.checks}
    assert (levels["W1"], levels["W2"], levels["W3"]) == ("unknown",) * 3
    assert found.level == "unknown"


def test_only_what_is_asked_for_is_measured(place: Place) -> None:
    assert [check.code for check in look(place, only=["data"]).checks] == ["W4", "W5", "W6"]
    assert look(place, LATER, [place.scores], only=["outcomes"]).checks[0].code == "W7"


def test_open_windows_are_said_beside_the_other_checks(place: Place) -> None:
    found = look(place, TRAINED_ON, [place.scores])
    assert len(found.waiting) == 2
    assert "the churn window closes on 1998-04-02" in found.waiting[0]
    assert (found.outcomes, found.level) == ((), "quiet")


def test_open_windows_alone_are_refused_with_the_day(place: Place) -> None:
    with pytest.raises(errors.BadInput, match="no window of these scores has closed") as caught:
        look(place, TRAINED_ON, [place.scores], only=["outcomes"])
    assert "--as-of 1998-04-02" in caught.value.hint
    with pytest.raises(errors.BadInput, match="need old scores"):
        look(place, LATER, only=["outcomes"])


def test_a_day_before_the_bundles_own_is_refused(place: Place) -> None:
    with pytest.raises(errors.BundleRefused):
        look(place, TRAINED_ON - dt.timedelta(1))


def test_scores_of_another_model_and_other_horizons_are_said(place: Place, tmp_path: Path) -> None:
    table = parquet.read_table(place.scores)
    path = score_files.write(
        tmp_path / "other.parquet", table["customer_id"].to_pylist(), table["tier"].to_pylist(),
        table["value"].to_pylist(), as_of=TRAINED_ON, churn_days=30, value_days=30,
        value_low=[0.0] * table.num_rows, value_high=[99.0] * table.num_rows,
    )  # fmt: skip
    found = look(place, LATER, [path], only=["outcomes"])
    assert any("given by another model (tiercast/1/abc)" in note for note in found.notes)
    assert any("other horizons" in note for note in found.notes)
    assert {check.code: check.level for check in found.checks}["W8"] == "unknown"


# --- in MLflow


@pytest.fixture
def logged(later: WatchReport, mlruns: Path) -> Run:
    store.connect()
    return mlflow.get_run(watching.log(later))


def test_a_watch_is_a_run_of_its_own_kind_and_no_training(logged: Run) -> None:
    assert logged.data.tags[log_run.KIND] == "watch"
    assert (logged.data.tags["as_of"], logged.data.tags["trained_as_of"]) == ("1998-05-01", "1998-02-01")
    assert runs.runs() == []


def test_every_number_of_a_watch_is_a_metric(logged: Run, later: WatchReport) -> None:
    found = logged.data.metrics
    for row in later.drift:
        assert found[f"drift/psi/{row.name}"] == row.psi
    judged = later.outcomes[0]
    assert judged.churn is not None
    assert found["outcome/churn_auc"] == judged.churn["auc"].value
    assert found["outcome/churn_ece_high"] == judged.churn["ece"].high
    assert found["level/W1"] == checks.LEVELS.index(later.checks[0].level)


def test_the_report_and_the_pictures_are_kept(logged: Run, later: WatchReport) -> None:
    client = mlflow.MlflowClient()
    names = {item.path for item in client.list_artifacts(logged.info.run_id, "figures")}
    assert names == {"figures/drift.png", "figures/reliability-1998-02-01.png"}
    kept = json.loads(Path(client.download_artifacts(logged.info.run_id, watching.REPORT)).read_text(encoding="utf-8"))
    assert kept["level"] == later.level
    assert len(kept["drift"]) == len(later.drift)


def test_no_customer_and_no_path_reaches_mlflow(logged: Run, mlruns: Path, place: Place) -> None:
    ids = [one.encode() for one in parquet.read_table(place.scores)["customer_id"].to_pylist()]
    assert len(ids) > 1000
    kept = b"".join(path.read_bytes() for path in mlruns.rglob("*") if path.suffix in (".json", ".yaml"))
    kept += json.dumps(logged.to_dictionary()).encode()
    quoted = [one for one in ids if b'"' + one + b'"' in kept]
    assert not quoted
    assert Path(place.scores).name.encode() not in kept
    assert str(Path(place.orders).parent).encode() not in kept


def test_names_that_mlflow_does_not_take_are_written_so_that_it_does(later: WatchReport) -> None:
    odd = later._replace(drift=(later.drift[0]._replace(name="attr_Größe (cm) & more"),))
    names = [name for name in watching.metrics(odd) if name.startswith("drift/psi/")]
    assert names == ["drift/psi/attr_Größe _cm_ _ more"]
    assert np.isfinite(list(watching.metrics(later).values())).all()
