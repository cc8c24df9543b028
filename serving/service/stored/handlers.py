"""Lookup, history, search, grid and generations: each answer comes from one generation, and says from which."""

from __future__ import annotations

import functools
from typing import Any

from starlette.responses import Response

from tiercast.contract import errors
from tiercast.serving.service import asking
from tiercast.serving.service.stored import export, refusals, shelf, telling
from tiercast.serving.service.stored.requests import HistoryRequest, LookupRequest, SearchRequest
from tiercast.serving.store import generations, queries, search

PAGE = 100
Json = dict[str, Any]


def lookup(asked: LookupRequest) -> Json:
    """`answers.LookupAnswer`. Raises `Refused`, as all of these do."""
    found = shelf.current().ask(lambda engine: queries.lookup(engine, asked.customer_ids))
    asking.count(len(found.rows))
    rows = [telling.score(row, asked.lang) for row in found.rows]
    return {**telling.stamp(found.generation), "scores": rows, "unknown": found.unknown}


def history(asked: HistoryRequest) -> Json:
    """`answers.HistoryAnswer`."""
    steps = shelf.current().ask(lambda engine: queries.history(engine, asked.customer_id))
    current = steps[0].generation if steps else shelf.current().ask(generations.current)
    asking.count(1 if steps else 0)
    return {**telling.stamp(current), "steps": telling.steps(steps, asked.lang)}


def find(asked: SearchRequest) -> Json | Response:
    """`answers.SearchAnswer`, or a file that is made while it is sent."""
    if asked.format != "json":
        return export.response(shelf.current(), asked)
    limit = PAGE if asked.limit is None else asked.limit
    page = functools.partial(search.search, filters=asked.filters, sort=asked.order, after=asked.cursor, limit=limit)
    try:
        found = page(shelf.current().engine)
    except errors.TiercastError as error:
        raise refusals.of_page(error, has_cursor=asked.cursor is not None) from None
    asking.count(len(found.rows))
    rows = [telling.score(row, asked.lang) for row in found.rows]
    return {**telling.stamp(found.generation), "scores": rows, "next": found.next}


def grid() -> Json:
    """`answers.GridAnswer`."""
    found = shelf.current().ask(queries.grid)
    return {**telling.stamp(found.generation), **telling.grid(found)}


def every() -> Json:
    """`answers.GenerationsAnswer`."""
    found = shelf.current().ask(generations.ready)
    current = next((each for each in found if each.is_current), None)
    if current is None:  # none was ever published: said in the store's words
        current = shelf.current().ask(generations.current)
    return {**telling.stamp(current), "generations": [telling.generation(each) for each in found]}
