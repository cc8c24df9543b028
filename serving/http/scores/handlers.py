"""Lookup, history, search, grid and generations: each response comes from one generation, and names it."""

from __future__ import annotations

import functools
from typing import Any

from starlette.responses import Response

from tiercast.contract import errors
from tiercast.serving.http import request_context
from tiercast.serving.http.scores import export, serialize, store_errors, store_pool
from tiercast.serving.http.scores.requests import HistoryRequest, LookupRequest, SearchRequest
from tiercast.serving.store import generations, queries
from tiercast.serving.store import search as store_search

DEFAULT_LIMIT = 100
Json = dict[str, Any]


def lookup(request: LookupRequest) -> Json:
    """`responses.LookupResponse`. Raises `HttpError`, as all of these do."""
    result = store_pool.current().query(lambda engine: queries.lookup(engine, request.customer_ids))
    request_context.count_customers(len(result.rows))
    rows = [serialize.score(row, request.lang) for row in result.rows]
    return {**serialize.stamp(result.generation), "scores": rows, "unknown": result.unknown}


def history(request: HistoryRequest) -> Json:
    """`responses.HistoryResponse`."""
    steps = store_pool.current().query(lambda engine: queries.history(engine, request.customer_id))
    current = steps[0].generation if steps else store_pool.current().query(generations.current)
    request_context.count_customers(1 if steps else 0)
    return {**serialize.stamp(current), "steps": serialize.steps(steps, request.lang)}


def search(request: SearchRequest) -> Json | Response:
    """`responses.SearchResponse`, or a file that is written while it is sent."""
    if request.format != "json":
        return export.response(store_pool.current(), request)
    limit = DEFAULT_LIMIT if request.limit is None else request.limit
    page = functools.partial(store_search.search, filters=request.filters, sort=request.order, limit=limit)
    try:
        result = page(store_pool.current().engine, after=request.cursor)
    except errors.TiercastError as error:
        raise store_errors.from_page_error(error, has_cursor=request.cursor is not None) from None
    request_context.count_customers(len(result.rows))
    rows = [serialize.score(row, request.lang) for row in result.rows]
    return {**serialize.stamp(result.generation), "scores": rows, "next": result.next}


def grid() -> Json:
    """`responses.GridResponse`."""
    stored = store_pool.current().query(queries.grid)
    return {**serialize.stamp(stored.generation), **serialize.grid(stored)}


def list_generations() -> Json:
    """`responses.GenerationsResponse`."""
    kept = store_pool.current().query(generations.ready)
    current = next((each for each in kept if each.is_current), None)
    if current is None:  # nothing was ever published: this raises the store's own error
        current = store_pool.current().query(generations.current)
    return {**serialize.stamp(current), "generations": [serialize.generation(each) for each in kept]}
