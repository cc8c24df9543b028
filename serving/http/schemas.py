"""The request and response bodies of the service's own endpoints, and the one shape of its errors."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Reload(BaseModel):
    """Nothing: an empty JSON object, which no form of a foreign web page can send."""

    model_config = ConfigDict(extra="forbid")


class _Open(BaseModel):
    """An answer that is described elsewhere, so more may stand in it than is named here."""

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
    """The process answers."""

    alive: Literal[True]


class Ready(BaseModel):
    """Every part of the service in a few words."""

    ready: Literal[True]
    parts: dict[str, str]


class Place(BaseModel):
    """What does not fit, and where."""

    path: str
    message: str


class Failure(BaseModel):
    """What is wrong and what to do about it."""

    code: str
    message: str
    hint: str
    request_id: str
    fields: list[Place] | None = None
    count: int | None = None
    total: int | None = None


class Error(BaseModel):
    """The one shape of every refusal and every fault."""

    error: Failure


class Reloaded(BaseModel):
    """Which bundle answers after a reload; `is_new` is false where it is the one that answered before."""

    model: str
    origin: str
    since: dt.datetime
    is_new: bool
