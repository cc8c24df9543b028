"""What all requests of one worker process share, from the environment: `app.state.worker` of the application."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import sys
from collections.abc import Iterator, Mapping

from starlette.requests import Request
from starlette.types import Scope

from tiercast.serving.access.audit import AuditLog
from tiercast.serving.http import auth, jobs, limits, readiness
from tiercast.serving.http.auth import Authenticator
from tiercast.serving.http.error_responses import HttpError
from tiercast.serving.http.limits import Limits
from tiercast.serving.http.model import ModelRuntime
from tiercast.serving.http.scores import store_pool

# How long a thread that scores keeps the interpreter while a request waits to be read or a response to be sent:
# Python's own 5 ms show in the slowest responses.
SWITCH_SECONDS = 0.0005


@dataclasses.dataclass
class AppState:
    """`in_flight` counts the requests that are being handled now; `model` is None in an application without one."""

    limits: Limits
    authenticator: Authenticator
    audit: AuditLog
    model: ModelRuntime | None = None
    in_flight: int = 0


def from_scope(scope: Scope) -> AppState:
    """The state of the application that handles the request."""
    state: AppState = scope["app"].state.worker
    return state


def model(request: Request) -> ModelRuntime:
    """The served model of the application that handles the request."""
    runtime: ModelRuntime | None = from_scope(request.scope).model
    if runtime is None:
        raise HttpError(404)
    return runtime


def from_env(environment: Mapping[str, str]) -> AppState:
    """The state without a model, and with nothing running yet. Raises `BadInput`."""
    bounds, file = limits.from_env(environment), environment.get("TIERCAST_AUDIT")
    return AppState(bounds, auth.from_env(environment, bounds), AuditLog(pathlib.Path(file) if file else None))


@contextlib.contextmanager
def running(*, has_model: bool) -> Iterator[AppState]:
    """Inside the block: the model is loaded, keys and store are watched, jobs are run."""
    sys.setswitchinterval(SWITCH_SECONDS)
    state = from_env(os.environ)
    with contextlib.ExitStack() as stack:
        for part in (state.authenticator.watching(), store_pool.running(os.environ), jobs.running()):
            stack.enter_context(part)
        readiness.register("audit", lambda: readiness.State(True, state.audit.problem or "written"))
        if has_model:
            state.model = stack.enter_context(contextlib.closing(ModelRuntime(os.environ)))
        yield state
