"""A new generation comes while many ask: everybody gets the old one or the new one, and nobody an error."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import score_files
from tests.serving.http.scores import bases
from tests.serving.http.scores.conftest import served
from tiercast.serving.store import database, generations, publish

PEOPLE = bases.ids(300)


def write(path: Path, number: int) -> str:
    """A base in which every value is the number of its generation, and whose tiers change with it."""
    letters = ["AB"[number % 2]] * len(PEOPLE)
    reasons = [["silent_long"] if number % 2 else []] * len(PEOPLE)
    return score_files.write(path, PEOPLE, letters, [float(number)] * len(PEOPLE), reasons=reasons)


def lookup(client: Any, _: dict[str, Any]) -> tuple[int, set[float]]:
    response = client.post("/v1/customers/lookup", json={"customer_ids": PEOPLE[:100]})
    assert response.status_code == 200, response.text
    rows = response.json()["scores"]
    assert len(rows) == 100
    return response.json()["generation"], {row["value"] for row in rows}


def page(client: Any, kept: dict[str, Any]) -> tuple[int, set[float]]:
    """A listing goes on through the switch in the generation that it began in."""
    response = client.post("/v1/customers/search", json={"limit": 60, "sort": "value", "cursor": kept.get("next")})
    assert response.status_code == 200, response.text
    result = response.json()
    assert kept.get("next") is None or result["generation"] == kept["generation"]
    kept.update(result)
    return result["generation"], {row["value"] for row in result["scores"]}


def export(client: Any, _: dict[str, Any]) -> tuple[int, set[float]]:
    response = client.post("/v1/customers/search", json={"format": "csv"})
    assert response.status_code == 200, response.text
    lines = response.text.splitlines()
    at = lines[0].split(",").index("value")
    assert len(lines) == 301
    return int(response.headers["x-tiercast-generation"]), {
        float(line.rsplit('"', 0)[0].split(",")[at]) for line in lines[1:]
    }


def grid(client: Any, _: dict[str, Any]) -> tuple[int, set[float]]:
    result = client.get("/v1/grid").json()
    return result["generation"], {result["value_total"] / 300}


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_requests_during_a_switch_see_one_generation_and_no_error(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = str(tmp_path / "scores.db") if kind == "sqlite" else request.getfixturevalue("database")
    files = [write(tmp_path / f"{number}.parquet", number) for number in range(1, 9)]
    engine = database.open(url, create=True)
    publish.publish(engine, files[0], keep=4)
    seen: set[int] = set()
    failed: list[BaseException] = []
    is_over = threading.Event()

    def query(question: Callable[[Any, dict[str, Any]], tuple[int, set[float]]], client: Any) -> None:
        kept: dict[str, Any] = {}
        while not is_over.is_set() and not failed:
            try:
                number, values = question(client, kept)
                assert values == {float(number)}
                seen.add(number)
            except BaseException as error:
                failed.append(error)

    with served(url) as client:
        threads = [threading.Thread(target=query, args=(each, client)) for each in (lookup, lookup, page, export, grid)]
        for thread in threads:
            thread.start()
        for file in files[1:]:
            publish.publish(engine, file, keep=4)
        generations.rollback(engine)
        is_over.set()
        for thread in threads:
            thread.join()
    assert not failed, failed
    assert len(seen) >= 4
