from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tiercast.contract import errors, scores
from tiercast.models import bundle_folder
from tiercast.models.bundle import Bundle
from tiercast.serving import pyfunc, registry, score
from tiercast.training.tracking import model, store
from tiercast.training.tracking.log_run import LoggedRun
from tiercast.training.train import Trained


@pytest.fixture
def root(written: tuple[Path, LoggedRun], mlruns: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of `written`, its store connected."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    store.connect(written[0])
    return written[0]


@pytest.fixture
def bundle(root: Path) -> Bundle:
    return bundle_folder.load(root / "bundle")


@pytest.fixture
def frame(trained: Trained) -> pd.DataFrame:
    """Ten real customers of the small training, in memory only."""
    features = trained.final.now.features[list(trained.bundle.spec.names)].head(10)
    return features.assign(customer_id=trained.final.now.customer_id.to_pylist()[:10])


def expected(bundle: Bundle, frame: pd.DataFrame) -> pd.DataFrame:
    """The same customers through `tiercast.serving.score`, which batch uses."""
    scored = score.score(bundle, pa.Table.from_pandas(frame, preserve_index=False))
    table: pd.DataFrame = scored.to_pandas()
    return table


def test_the_loaded_model_gives_what_batch_scoring_gives(root: Path, bundle: Bundle, frame: pd.DataFrame) -> None:
    got = mlflow.pyfunc.load_model("models:/tiercast@challenger").predict(frame)
    batch = expected(bundle, frame)
    assert list(got.columns) == list(scores.NAMES)
    same = [name for name in scores.NAMES if name not in ("as_of", "reasons")]
    pd.testing.assert_frame_equal(got[same], batch[same], check_exact=True)
    assert got["reasons"].str.split("|").tolist() == [list(codes) or [""] for codes in batch["reasons"]]
    assert set(got["as_of"]) == {"1998-07-01"}
    assert set(got["model"]) == {bundle.about.model}


def test_without_customer_ids_the_output_has_none_and_keeps_the_index(bundle: Bundle, frame: pd.DataFrame) -> None:
    nameless = frame.drop(columns="customer_id").set_axis(range(100, 110))
    got = pyfunc.PyfuncModel(bundle).predict(nameless)
    assert list(got.columns) == [name for name in scores.NAMES if name != "customer_id"]
    assert list(got.index) == list(range(100, 110))


def test_the_order_of_columns_and_more_columns_change_nothing(bundle: Bundle, frame: pd.DataFrame) -> None:
    scorer = pyfunc.PyfuncModel(bundle)
    shuffled = frame[sorted(frame.columns, reverse=True)].assign(more="x")
    pd.testing.assert_frame_equal(scorer.predict(shuffled), scorer.predict(frame))


def test_a_missing_feature_is_shown_as_a_line_diff(bundle: Bundle, frame: pd.DataFrame) -> None:
    with pytest.raises(errors.BundleRefused) as refused:
        pyfunc.PyfuncModel(bundle).predict(frame.rename(columns={"spend_30d": "spend_31d"}).drop(columns="n_orders"))
    message = str(refused.value)
    assert f"2 of {len(bundle.spec.names)} columns" in message
    assert "  - n_orders\n  - spend_30d\n  + spend_31d\n" in message


def test_a_feature_that_is_no_number_is_refused_by_name(bundle: Bundle, frame: pd.DataFrame) -> None:
    with pytest.raises(errors.WrongType, match="n_orders"):
        pyfunc.PyfuncModel(bundle).predict(frame.assign(n_orders="many"))


def test_a_prospect_has_a_tier_and_no_numbers(bundle: Bundle) -> None:
    prospect = pd.DataFrame([dict.fromkeys(bundle.spec.names, np.nan) | {"n_orders": 0.0, "customer_id": "007"}])
    [row] = pyfunc.PyfuncModel(bundle).predict(prospect).to_dict("records")
    assert (row["customer_id"], row["tier"], row["status"]) == ("007", "F", "prospect")
    assert row["value"] is None
    assert row["p_churn"] is None


def test_the_day_of_the_features_can_be_given_and_reasons_left_out(root: Path, frame: pd.DataFrame) -> None:
    loaded = mlflow.pyfunc.load_model("models:/tiercast@challenger")
    got = loaded.predict(frame, params={"as_of": "1998-08-01", "reasons": False})
    assert set(got["as_of"]) == {"1998-08-01"}
    assert set(got["reasons"]) == {""}


def test_an_as_of_that_is_no_date_is_refused(bundle: Bundle, frame: pd.DataFrame) -> None:
    with pytest.raises(errors.BadInput, match="tomorrow"):
        pyfunc.PyfuncModel(bundle).predict(frame, {"as_of": "tomorrow"})


def test_the_signature_names_every_feature_and_every_score(root: Path, bundle: Bundle) -> None:
    signature = mlflow.models.get_model_info("models:/tiercast@challenger").signature
    assert signature is not None
    assert signature.inputs.input_names() == [*bundle.spec.names, "customer_id"]
    assert signature.inputs.optional_input_names() == ["customer_id"]
    assert signature.outputs.input_names() == list(scores.NAMES)


def test_the_input_example_is_no_customers_row(trained: Trained) -> None:
    invented = model.example(trained.bundle)
    real = trained.final.now.features[list(trained.bundle.spec.names)]
    assert set(invented["customer_id"]) == {"median", "upper-quartile"}
    for _, row in invented[list(real.columns)].iterrows():
        assert not ((real == row) | (real.isna() & row.isna())).all(axis=1).any()


# --- fetching by alias


def test_fetching_by_alias_and_by_version_gives_the_bundle(root: Path, tmp_path: Path, bundle: Bundle) -> None:
    for wanted in ("challenger", "1"):
        folder = registry.fetch(wanted, tmp_path / "cache")
        assert folder == tmp_path / "cache" / "tiercast-1"
        assert bundle_folder.load(folder).about == bundle.about
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["tiercast-1"]


def test_fetching_reads_the_store_below_root(
    written: tuple[Path, LoggedRun], mlruns: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert (registry.fetch("1", tmp_path / "cache", root=written[0]) / "manifest.json").is_file()


def test_an_unknown_alias_is_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(errors.BadInput, match=r"champion(.|\n)*tiercast promote"):
        registry.fetch("champion", tmp_path / "cache")


def test_a_fetch_from_a_missing_store_creates_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(errors.BadInput, match=r"mlflow\.db"):
        registry.fetch("champion", tmp_path / "cache", root=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_that_was_changed_in_the_store_is_refused_and_the_old_copy_stays(
    root: Path, tmp_path: Path, bundle: Bundle
) -> None:
    cache = tmp_path / "cache"
    registry.fetch("1", cache)
    [stored] = (root / "mlruns" / "artifacts" / "models").glob("*/artifacts/data/bundle/model.json")
    kept = stored.read_bytes()
    stored.write_bytes(kept.replace(b'"level"', b'"Level"'))
    try:
        with pytest.raises(errors.BundleRefused, match=r"model\.json"):
            registry.fetch("1", cache)
    finally:
        stored.write_bytes(kept)
    assert bundle_folder.load(cache / "tiercast-1").about == bundle.about


# --- versions of before everything was installed inside `tiercast`


def old_version(trained: Trained, folder: Path) -> Bundle:
    """The small training's bundle as version 1, champion, with the loader module that versions named before."""
    store.connect(folder)
    with mlflow.start_run(experiment_id=store.experiment_id()) as run:
        known = trained.bundle._replace(about=trained.bundle.about._replace(run_id=run.info.run_id))
        logged = model.log(known, folder / "bundle", {}, register=True)
    mlflow.MlflowClient().set_registered_model_alias("tiercast", "champion", "1")
    (written,) = (folder / "mlruns" / "artifacts").rglob("MLmodel")
    written.write_text(
        written.read_text().replace("loader_module: tiercast.serving.pyfunc", "loader_module: serving.pyfunc")
    )
    return logged.bundle


def snippet(page: str, heading: str) -> str:
    """The first block of Python below a heading of a page of the documentation."""
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")
    return text.partition(heading)[2].partition("```python\n")[2].partition("```")[0]


def test_an_old_version_is_fetched_as_before_and_loaded_by_mlflow_once_it_is_registered_again(
    trained: Trained, frame: pd.DataFrame, mlruns: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "serving", None)  # a checkout has such a folder; an installation has none
    bundle = old_version(trained, tmp_path)
    fetched = bundle_folder.load(registry.fetch("champion", tmp_path / "cache"))
    assert bundle_folder.identity(fetched) == bundle_folder.identity(bundle)
    with pytest.raises(ModuleNotFoundError, match="serving"):
        mlflow.pyfunc.load_model("models:/tiercast@champion")

    exec(snippet("mlflow.md", "### Versions of before the import name changed"), {})  # noqa: S102  what the page says

    again = mlflow.pyfunc.load_model("models:/tiercast/2").predict(frame)
    batch = expected(bundle, frame)
    assert set(again["model"]) == {bundle.about._replace(version="2").model}
    same = [name for name in scores.NAMES if name not in ("as_of", "reasons", "model")]
    pd.testing.assert_frame_equal(again[same], batch[same], check_exact=True)
    newest = mlflow.MlflowClient().get_model_version_by_alias("tiercast", "challenger")
    assert (str(newest.version), newest.run_id) == ("2", bundle.about.run_id)


# --- mlflow models serve


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def address(root: Path, tmp_path: Path) -> Iterator[str]:
    """`mlflow models serve` on this machine, started and stopped here."""
    port, log = free_port(), tmp_path / "serve.log"
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", "models:/tiercast@challenger"]
    options = ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # where MLflow looks for uvicorn
    known = {"MLFLOW_TRACKING_URI": f"sqlite:///{root / 'mlruns' / 'mlflow.db'}", "PATH": path}
    with log.open("wb") as out:
        server = subprocess.Popen(
            [*command, *options], stdout=out, stderr=out, env=os.environ | known, start_new_session=True
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/ping", server, log)
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGTERM)  # a group of its own: MLflow and the web server it started
            server.wait(20)


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.25)
    pytest.fail(f"no answer in a minute: {log.read_text()}")


def post(url: str, body: dict[str, Any]) -> tuple[int, Any]:
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.slow
def test_mlflow_models_serve_responds_with_scores(address: str, bundle: Bundle, frame: pd.DataFrame) -> None:
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"
    split = json.loads(frame.to_json(orient="split", index=False, double_precision=15))
    status, response = post(address, {"dataframe_split": split})
    assert status == 200, response
    batch = expected(bundle, frame)
    assert [row["tier"] for row in response["predictions"]] == batch["tier"].tolist()
    assert [row["customer_id"] for row in response["predictions"]] == batch["customer_id"].tolist()
    np.testing.assert_allclose([row["value"] for row in response["predictions"]], batch["value"], rtol=1e-9)
    status, refusal = post(address, {"dataframe_split": {"columns": ["n_orders"], "data": [[1.0]]}})
    assert status == 400
    assert "recency_days" in refusal
    prospect = dict.fromkeys(bundle.spec.names) | {"n_orders": 0.0}
    status, response = post(address, {"dataframe_records": [prospect]})
    assert (status, response["predictions"][0]["tier"], response["predictions"][0]["value"]) == (200, "F", None)
