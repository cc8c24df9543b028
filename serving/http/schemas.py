"""The request and response bodies of the service's own endpoints, and the one shape of its errors."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Reload(BaseModel):
    """An empty JSON object, which a form on a web page of another site cannot send."""

    model_config = ConfigDict(extra="forbid")


class _Open(BaseModel):
    """A response that is described elsewhere; it may have more fields than these."""

    model_config = ConfigDict(extra="allow")


class ModelCard(_Open):
    """The bundle's manifest, its scorecard, its cuts, what it reads, the meaning of every column, all texts."""

    served: dict[str, Any]
    model: str
    manifest: dict[str, Any]
    scorecard: dict[str, Any]
    cuts: dict[str, Any]
    reads: dict[str, list[str]]
    features: list[str]
    columns: list[dict[str, Any]]
    stored: dict[str, list[dict[str, str]]]
    texts: dict[str, Any]


class Document(_Open):
    """OpenAPI 3.1."""

    openapi: str
    paths: dict[str, Any]


class Alive(BaseModel):
    """The process responds."""

    alive: Literal[True]


class Ready(BaseModel):
    """The state of each part of the service, in a few words."""

    ready: Literal[True]
    parts: dict[str, str]


class Place(BaseModel):
    """One invalid field of the request: its path, and what is wrong with it."""

    path: str
    message: str


class Failure(BaseModel):
    """The parts of an error: what is wrong, and how to fix it."""

    code: str
    message: str
    hint: str
    request_id: str
    fields: list[Place] | None = None
    count: int | None = None
    total: int | None = None


class Error(BaseModel):
    """The body of every error response."""

    error: Failure


class Reloaded(BaseModel):
    """The model that is served after a reload; `is_new` is false if it is the same as before."""

    model: str
    origin: str
    since: dt.datetime
    is_new: bool
