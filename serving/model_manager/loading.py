"""Load a bundle and make it ready to score, beside the one that is served."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from tiercast.contract import errors
from tiercast.models import bundle_folder
from tiercast.models.bundle import Bundle
from tiercast.serving.model_manager import source
from tiercast.serving.model_manager.source import LocalBundle
from tiercast.serving.online.scorer import Scorer

Load = Callable[[Bundle], Scorer]
"""Makes the scorer of a bundle, warmed up: the first request finds everything compiled."""


class ServedModel(NamedTuple):
    """A bundle that is ready to score: its scorer, its manifest, where it lies, and when it was loaded (UTC)."""

    scorer: Scorer
    manifest: dict[str, Any]
    bundle: LocalBundle
    since: dt.datetime

    @property
    def model(self) -> str:
        """Name, version and run of the model."""
        return self.scorer.bundle.about.model


def load_model(local: LocalBundle, load: Load) -> ServedModel:
    """Load the bundle of a folder and make its scorer.

    Raises `BundleRefused`: it is not intact, has another format, was replaced meanwhile, or cannot score.
    """
    bundle = bundle_folder.load(local.folder)
    manifest = source.read_manifest(local.folder)
    if hashlib.sha256(manifest).hexdigest() != local.digest:
        hint = "write the bundle beside the folder and rename it, as `tiercast train --bundle` does, and reload again"
        raise errors.BundleRefused("the bundle was replaced while it was read", first=str(local.folder), hint=hint)
    return ServedModel(_scorer(bundle, load), json.loads(manifest), local, dt.datetime.now(dt.UTC))


def _scorer(bundle: Bundle, load: Load) -> Scorer:
    try:
        return load(bundle)
    except errors.TiercastError:
        raise
    except Exception as error:
        hint = "train it again with this version of Tiercast, or install the version that wrote it"
        what = "the bundle is intact, but it cannot score"
        raise errors.BundleRefused(what, first=f"{type(error).__name__}: {error}", hint=hint) from error
