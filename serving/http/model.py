"""The served model within the service: its start, its scores, its state, its card, its reload."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from typing import Any

from tiercast.contract import errors
from tiercast.serving.http import limits, metrics, readiness, schemas
from tiercast.serving.http.error_responses import HttpError
from tiercast.serving.http.scores import responses
from tiercast.serving.model_manager import cache, source
from tiercast.serving.model_manager.hot_reload import ModelManager
from tiercast.serving.model_manager.loading import ServedModel
from tiercast.serving.model_manager.shadow import Shadow
from tiercast.serving.model_manager.source import RegistrySource
from tiercast.serving.online import model_card, scorer
from tiercast.serving.online.micro_batch import MicroBatcher
from tiercast.serving.online.requests import ScoreRequest
from tiercast.serving.online.scorer import Row, Scorer

SHADOW = "TIERCAST_SHADOW"


class ModelRuntime:
    """The model that scores, kept up to date, and the challenger that is compared with it, if there is one."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        bundles = source.from_env()
        bounds = limits.from_env(environment)
        seconds = bounds.poll_seconds if isinstance(bundles, RegistrySource) else 0.0
        self.manager = ModelManager(bundles, scorer.load, poll_seconds=seconds, on_swap=_on_swap)
        self.shadow = _shadow(environment.get(SHADOW, ""))
        self.batcher = MicroBatcher(self.scorer, bounds.threads, self.compare)
        self._card: tuple[ServedModel, bytes] | None = None
        metrics.set_served_model(self.manager.served.model)
        readiness.register("bundle", lambda: readiness.State(True, self.manager.state()))
        self.manager.start_watching()
        gc.collect()
        gc.freeze()  # otherwise every full collection walks through all modules and models, in the middle of a request

    def scorer(self) -> Scorer:
        """The scorer of the model that is served now."""
        return self.manager.served.scorer

    def card(self) -> bytes:
        """The card of the model that is served now, rendered once per model."""
        served = self.manager.served
        if self._card is None or self._card[0] is not served:
            about = {"origin": served.bundle.origin, "since": served.since}
            card = model_card.render(served.scorer.bundle, served.manifest, about, responses.definitions())
            self._card = served, card
        return self._card[1]

    def compare(self, request: ScoreRequest, rows: list[Row]) -> None:
        """Let the challenger, if there is one, score the request too."""
        if self.shadow is not None:
            self.shadow.offer(request, rows)

    def reload(self) -> schemas.Reloaded:
        """Serve the latest bundle of the folder or registry. Raises `HttpError` 409; the old model then stays."""
        try:
            served, is_new = self.manager.reload()
        except errors.TiercastError as error:
            parts: dict[str, Any] = {name: part for name, part in error.as_dict().items() if part is not None}
            fields = [{"path": "bundle", "message": parts.pop("first", error.what)}]
            raise HttpError(409, None, **parts, fields=fields) from error
        return schemas.Reloaded(model=served.model, origin=served.bundle.origin, since=served.since, is_new=is_new)

    def close(self) -> None:
        """Stop scoring, watching and comparing."""
        self.batcher.close()
        for part in ("bundle", "shadow"):
            readiness.unregister(part)
        self.manager.stop()
        if self.shadow is not None:
            self.shadow.close()


def _shadow(alias_or_version: str) -> Shadow | None:
    if not alias_or_version:
        return None
    shadow = Shadow(RegistrySource(alias_or_version, cache.from_env()), scorer.load)
    readiness.register("shadow", lambda: readiness.State(True, shadow.state()))
    return shadow


def _on_swap(old: ServedModel, new: ServedModel) -> None:
    metrics.set_served_model(new.model, old.model)
