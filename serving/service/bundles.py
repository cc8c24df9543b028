"""The served bundle in the service: how it starts, what /readyz and the metrics say of it, how it is reloaded."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from typing import Any

import bentoml

from tiercast.contract import errors
from tiercast.serving.http import error_responses, limits, metrics, schemas
from tiercast.serving.model_manager import cache, hot_reload, loading, source
from tiercast.serving.model_manager.hot_reload import Keeper
from tiercast.serving.model_manager.served_model import Served
from tiercast.serving.model_manager.shadow import Shadow
from tiercast.serving.model_manager.source import Registered
from tiercast.serving.online.requests import ScoreRequest
from tiercast.serving.online.scorer import Answer, Online
from tiercast.serving.service import readiness

SHADOW = "TIERCAST_SHADOW"


class Bundles:
    """The bundle that answers, kept up to date, and the one that is compared with it if there is one."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        wanted = source.of_environment()
        first, trouble = hot_reload.start(wanted, loading.prepare)
        every = limits.read(environment).poll_seconds if isinstance(wanted, Registered) else 0.0
        self.keeper = Keeper(wanted, loading.prepare, first, trouble, every=every, told=_exchanged)
        self.shadow = _shadow(environment.get(SHADOW, ""))
        metrics.serves(first.online.bundle.about.model)
        readiness.tell("bundle", lambda: readiness.State(True, self.keeper.state()))
        self.keeper.start_watching()
        gc.collect()
        gc.freeze()  # else every full collection walks through all modules and models, in the middle of some request

    @property
    def served(self) -> Served:
        return self.keeper.served

    def online(self) -> Online:
        """What answers now."""
        return self.served.online

    def answered(self, request: ScoreRequest, rows: list[Answer]) -> None:
        """Let the shadow, if there is one, compare."""
        if self.shadow is not None:
            self.shadow.offer(request, rows)

    def close(self) -> None:
        for part in ("bundle", "shadow"):
            readiness.forget(part)
        self.keeper.stop()
        if self.shadow is not None:
            self.shadow.close()


def reload() -> schemas.Reloaded:
    """Serve what the folder or the registry holds now. Raises `Refused` with what is wrong; then the old one stays."""
    try:
        served, is_new = bentoml.get_current_service().bundle.keeper.reload()
    except errors.TiercastError as error:
        said: dict[str, Any] = {name: part for name, part in error.as_dict().items() if part is not None}
        fields = [{"path": "bundle", "message": said.pop("first", error.what)}]
        raise error_responses.Refused(409, None, **said, fields=fields) from error
    return schemas.Reloaded(
        model=served.online.bundle.about.model, origin=served.found.origin, since=served.since, is_new=is_new
    )


def _shadow(wanted: str) -> Shadow | None:
    if not wanted:
        return None
    shadow = Shadow(Registered(wanted, cache.of()), loading.prepare)
    readiness.tell("shadow", lambda: readiness.State(True, shadow.state()))
    return shadow


def _exchanged(old: Served, new: Served) -> None:
    metrics.serves(new.online.bundle.about.model, old.online.bundle.about.model)
