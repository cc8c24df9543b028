"""Lookup, history, search, grid and generations: each answer comes from one generation, and says from which."""

from __future__ import annotations

import functools
from typing import Any

from starlette.responses import Response

from tiercast.contract import errors
from tiercast.serving.http import request_context
from tiercast.serving.http.scores import export, serialize, store_errors, store_pool
from tiercast.serving.http.scores.requests import HistoryRequest, LookupRequest, SearchRequest
from tiercast.serving.store import generations, queries, search

PAGE = 100
Json = dict[str, Any]


def lookup(asked: LookupRequest) -> Json:
    """`answers.LookupAnswer`. Raises `HttpError`, as all of these do."""
    found = store_pool.current().ask(lambda engine: queries.lookup(engine, asked.customer_ids))
    request_context.count_customers(len(found.rows))
    rows = [serialize.score(row, asked.lang) for row in found.rows]
    return {**serialize.stamp(found.generation), "scores": rows, "unknown": found.unknown}


def history(asked: HistoryRequest) -> Json:
    """`answers.HistoryAnswer`."""
    steps = store_pool.current().ask(lambda engine: queries.history(engine, asked.customer_id))
    current = steps[0].generation if steps else store_pool.current().ask(generations.current)
    request_context.count_customers(1 if steps else 0)
    return {**serialize.stamp(current), "steps": serialize.steps(steps, asked.lang)}


def find(asked: SearchRequest) -> Json | Response:
    """`answers.SearchAnswer`, or a file that is made while it is sent."""
    if asked.format != "json":
        return export.response(store_pool.current(), asked)
    limit = PAGE if asked.limit is None else asked.limit
    page = functools.partial(search.search, filters=asked.filters, sort=asked.order, after=asked.cursor, limit=limit)
    try:
        found = page(store_pool.current().engine)
    except errors.TiercastError as error:
        raise store_errors.of_page(error, has_cursor=asked.cursor is not None) from None
    request_context.count_customers(len(found.rows))
    rows = [serialize.score(row, asked.lang) for row in found.rows]
    return {**serialize.stamp(found.generation), "scores": rows, "next": found.next}


def grid() -> Json:
    """`answers.GridAnswer`."""
    found = store_pool.current().ask(queries.grid)
    return {**serialize.stamp(found.generation), **serialize.grid(found)}


def every() -> Json:
    """`answers.GenerationsAnswer`."""
    found = store_pool.current().ask(generations.ready)
    current = next((each for each in found if each.is_current), None)
    if current is None:  # none was ever published: said in the store's words
        current = store_pool.current().ask(generations.current)
    return {**serialize.stamp(current), "generations": [serialize.generation(each) for each in found]}
