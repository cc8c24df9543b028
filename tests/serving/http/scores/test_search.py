from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from tests.serving.http.scores.conftest import Stored
from tests.serving.score_requests import refusal
from tiercast.serving.http.scores import requests, responses
from tiercast.serving.store import keyset

URL = "/v1/customers/search"
Row = dict[str, Any]


def every(client: Any, limit: int, **filters: Any) -> list[Row]:
    """All pages of a search, one after the other."""
    result, cursor = [], None
    while True:
        response = client.post(URL, json={**filters, "limit": limit, "cursor": cursor})
        assert response.status_code == 200, response.text
        page = response.json()
        assert len(page["scores"]) <= limit
        result += page["scores"]
        if (cursor := page["next"]) is None:
            return result
        assert len(page["scores"]) == limit


def people(stored: Stored) -> list[Row]:
    """July's customers from the arrays that were published; null is None."""
    names = list(stored.now.columns)
    rows = [dict(zip(names, cells, strict=True)) for cells in zip(*stored.now.columns.values(), strict=True)]
    was = dict(zip(stored.before.columns["customer_id"], stored.before.columns["tier"], strict=True))
    for row in rows:
        row |= {name: None if math.isnan(row[name]) else row[name] for name in ("value", "p_churn")}
        row["value_at_risk"] = None if row["value"] is None else row["value"] * row["p_churn"]
        row["was"] = was.get(row["customer_id"])
    return rows


def rises(row: Row) -> bool:
    """By hand: what `tiercast.tiers.moves` calls up, as pairs of letters."""
    return (row["was"] or "") + row["tier"] in {
        "BA", "CA", "DA", "DB", "DC", "EA", "EB", "EC", "ED", "FA", "FB", "FC", "FD", "FE",
    }  # fmt: skip


FILTERS: list[tuple[dict[str, Any], Callable[[Row], bool]]] = [
    ({}, lambda row: True),
    ({"tiers": ["B", "D"]}, lambda row: row["tier"] in "BD"),
    ({"statuses": ["inactive"]}, lambda row: row["tier"] == "E"),
    ({"reasons": ["silent_long"]}, lambda row: "silent_long" in row["reasons"]),
    ({"actions": ["let_rest"]}, lambda row: row["action"] == "let_rest"),
    ({"p_churn": {"min": 0.5}}, lambda row: row["p_churn"] is not None and row["p_churn"] >= 0.5),
    ({"value": {"min": 50, "max": 100.5}}, lambda row: row["value"] is not None and 50 <= row["value"] <= 100.5),
    ({"value_at_risk": {"max": 20}}, lambda row: row["value_at_risk"] is not None and row["value_at_risk"] <= 20),
    ({"is_borderline": True, "tiers": ["A"]}, lambda row: row["is_borderline"] and row["tier"] == "A"),
    ({"moved": ["up"]}, rises),
    ({"moved": ["in"]}, lambda row: row["was"] is None),
    ({"moved_since": "2024-06-15", "moved": ["up"]}, rises),
    (
        {"moved": ["down"], "value": {"min": 100}},
        lambda row: row["was"] not in (None, row["tier"]) and not rises(row) and (row["value"] or 0) >= 100,
    ),
]


@pytest.mark.parametrize(("filters", "is_meant"), FILTERS, ids=[json.dumps(filters) for filters, _ in FILTERS])
def test_a_search_finds_exactly_the_customers_that_meet_its_filters(
    client: Any, stored: Stored, filters: dict[str, Any], is_meant: Callable[[Row], bool]
) -> None:
    expected = sorted(row["customer_id"] for row in people(stored) if is_meant(row))
    result = [row["customer_id"] for row in every(client, 1000, **filters)]
    assert sorted(result) == expected
    assert expected


@pytest.mark.parametrize("sort", requests.SORTS)
def test_pages_of_seven_are_the_sorted_list_without_duplicates_or_gaps(client: Any, stored: Stored, sort: str) -> None:
    """Those without the number come last either way; ties go by the bytes of the id, the same way as the number."""
    by, sign = sort.removeprefix("-"), -1 if sort.startswith("-") else 1
    rows = sorted(people(stored), key=lambda row: row["customer_id"].encode(), reverse=sign < 0)
    expected = sorted(
        (row for row in rows if row[by] is not None and by != "customer_id"), key=lambda row: sign * row[by]
    )
    rest = rows if by == "customer_id" else [row for row in rows if row[by] is None]
    result = every(client, 7, sort=sort)
    assert [row["customer_id"] for row in result] == [row["customer_id"] for row in [*expected, *rest]]


def test_the_riskiest_money_comes_first_where_no_sort_is_given(client: Any) -> None:
    default, filters = (
        [row["customer_id"] for row in every(client, 1000, **more)] for more in ({}, {"sort": "-value_at_risk"})
    )
    assert default == filters


def test_a_page_has_the_documented_fields(client: Any) -> None:
    page = client.post(URL, json={"limit": 1}).json()
    assert set(page) == set(responses.SearchResponse.model_fields)
    responses.SearchResponse.model_validate(page)


def crafted(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def test_a_forged_cursor_is_refused_and_not_quoted(client: Any) -> None:
    first = client.post(URL, json={"limit": 2, "sort": "value"}).json()["next"]
    generation, question, number, customer = json.loads(base64.urlsafe_b64decode(first + "=="))
    mine = {"limit": 2, "sort": "value"}
    bad = [
        "ann", "ann@example.org", "é", "", first + "ann", first[1:],
        crafted(generation, question, number), crafted(generation, "ann", number, customer),
        crafted(True, question, number, customer), crafted(-1, question, number, customer),
        crafted(10**30, question, number, customer), crafted(generation, question, "ann", customer),
        crafted(generation, question, number, "ann\0"), crafted(generation, question, number, "ann\ud800"),
        crafted(generation, question, float("nan"), customer), crafted(generation, question, 10**400, customer),
        crafted(generation, question, True, customer), crafted([], {}, [], []), base64.b64encode(b"[" * 3000).decode(),
    ]  # fmt: skip
    for cursor in bad:
        error = refusal(client.post(URL, json={**mine, "cursor": cursor}), 422)
        assert [field["path"] for field in error["fields"]] == ["cursor"]
        assert "ann" not in str(error).replace("cannot", "")


def test_a_cursor_is_valid_only_for_its_filters(client: Any) -> None:
    cursor = client.post(URL, json={"limit": 2, "tiers": ["A"]}).json()["next"]
    error = refusal(client.post(URL, json={"limit": 2, "tiers": ["B"], "cursor": cursor}), 422)
    assert "another query" in error["message"]


@pytest.mark.parametrize(
    ("filters", "place"),
    [
        ({"reasons": ["ann"]}, "reasons.0"), ({"tiers": ["G"]}, "tiers.0"), ({"tiers": []}, "tiers"),
        ({"value": {}}, "value"), ({"value": {"min": 2, "max": 1}}, "value"), ({"value": {"min": "1"}}, "value.min"),
        ({"limit": 0}, "limit"), ({"limit": 1001}, "limit"), ({"limit": 5.0}, "limit"), ({"sort": "tier"}, "sort"),
        ({"moved": ["out"]}, "moved.0"), ({"moved_since": "ann"}, "moved_since"),
        ({"is_borderline": "yes"}, "is_borderline"),
        ({"format": "xlsx"}, "format"), ({"format": "csv", "limit": 5}, "(body)"), ({"lang": "de"}, "lang"),
        ({"ann": 1}, "ann"),
    ],
    ids=str,
)  # fmt: skip
def test_an_invalid_field_is_named_by_its_path(client: Any, filters: dict[str, Any], place: str) -> None:
    error = refusal(client.post(URL, json=filters), 422)
    assert [field["path"] for field in error["fields"]] == [place]


def test_a_day_before_every_kept_generation_is_refused(client: Any) -> None:
    error = refusal(client.post(URL, json={"moved_since": "2024-05-31"}), 422)
    assert [field["path"] for field in error["fields"]] == ["moved_since"]


def test_every_sort_of_the_store_can_be_requested() -> None:
    assert {sort.by for sort in requests.SORTS.values()} == set(keyset.SORTS)
    assert set(requests.SortName.__args__) == set(requests.SORTS)  # type: ignore[attr-defined]
