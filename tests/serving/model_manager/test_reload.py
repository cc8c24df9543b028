"""`POST /v1/admin/reload`, and the served model in `/v1/model` and `/readyz`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.serving.score_requests import refusal
from tiercast.models import bundle_folder
from tiercast.training.train import Trained


def test_a_reload_names_the_served_model_and_a_bad_bundle_is_refused_with_a_hint(
    client: Any, served: Path, trained: Trained
) -> None:
    same = client.post("/v1/admin/reload", json={}).json()
    assert (same["is_new"], same["origin"]) == (False, f"folder {served}")
    about = trained.bundle.about._replace(name="renamed")
    try:
        bundle_folder.save(trained.bundle._replace(about=about), served)
        (served / "scorecard.json").write_text("{}")
        manifest = json.loads((served / "manifest.json").read_text())
        (served / "manifest.json").write_text(json.dumps(manifest))
        error = refusal(client.post("/v1/admin/reload", json={}), 409)
        assert error["code"] == "BundleRefused"
        assert error["fields"][0]["path"] == "bundle"
        assert "kept although it may not be the newest" in client.get("/readyz").json()["parts"]["bundle"]
        assert client.get("/v1/model").json()["model"] == trained.bundle.about.model
        bundle_folder.save(trained.bundle._replace(about=about), served)
        assert client.post("/v1/admin/reload", json={}).json()["is_new"]
        card = client.get("/v1/model").json()
        assert card["model"].startswith("renamed")
        assert card["served"]["origin"] == f"folder {served}"
    finally:
        bundle_folder.save(trained.bundle, served)
        assert client.post("/v1/admin/reload", json={}).status_code == 200
    assert client.get("/v1/model").json()["model"] == trained.bundle.about.model
