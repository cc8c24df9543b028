"""Searching gives what sorting and filtering the score file in plain Python gives, whatever plan the database takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy.engine import Engine

from tests.serving.store import drawn_scores
from tests.serving.store.drawn_scores import AUGUST, JULY, JUNE
from tiercast.contract import errors
from tiercast.serving.store import cursor, database, generations, keyset, publish, search
from tiercast.serving.store.filters import NONE, Filters
from tiercast.serving.store.keyset import Sort
from tiercast.tiers import moves

Row = dict[str, Any]


class StoredScores(NamedTuple):
    """A store that serves August; `rows` are August's, with the tier that each had in June and in July."""

    engine: Engine
    rows: list[Row]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoredScores]:
    folder = tmp_path_factory.mktemp("stored")
    url = f"sqlite:///{folder / 'scores.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("own_database")
    engine = database.open(url, create=True)
    paths = [
        drawn_scores.write(folder / f"{day}.parquet", 400, seed, day, first=10 * seed)
        for seed, day in enumerate((JUNE, JULY, AUGUST))
    ]
    for path in paths:
        publish.publish(engine, path)
    june, july, august = (drawn_scores.read(path) for path in paths)
    then = [{row["customer_id"]: row["tier"] for row in rows} for rows in (june, july)]
    for row in august:
        row["june"], row["july"] = (tiers.get(row["customer_id"], "") for tiers in then)
        row["value_at_risk"] = None if row["value"] is None else row["value"] * row["p_churn"]
    yield StoredScores(engine, august)
    engine.dispose()


@pytest.fixture(scope="module")
def own_database(postgres: str) -> Iterator[str]:
    from tests import postgres_server

    with postgres_server.database(postgres) as address:
        yield address


QUESTIONS: dict[str, tuple[Filters, Callable[[Row], bool]]] = {
    "everybody": (NONE, lambda row: True),
    "one tier": (Filters(tiers=("B",)), lambda row: row["tier"] == "B"),
    "two tiers, risky": (
        Filters(tiers=("A", "B"), p_churn=(0.4, None)),
        lambda row: row["tier"] in "AB" and row["p_churn"] >= 0.4,
    ),
    "a range of value, ends included": (
        Filters(value=(20.0, 50.0)),
        lambda row: row["value"] is not None and 20 <= row["value"] <= 50,
    ),
    "much at risk": (
        Filters(value_at_risk=(40.0, None)),
        lambda row: row["value_at_risk"] is not None and row["value_at_risk"] >= 40,
    ),
    "any of two reasons": (
        Filters(reasons=("complained", "silent_long")),
        lambda row: bool({"complained", "silent_long"} & set(row["reasons"])),
    ),
    "borderline without disagreement": (
        Filters(is_borderline=True, disagreement=False),
        lambda row: row["is_borderline"] is True and row["disagreement"] is False,
    ),
    "prospects": (Filters(statuses=("prospect",)), lambda row: row["tier"] == "F"),
    "an action": (Filters(actions=("check_in",)), lambda row: row["action"] == "check_in"),
    "nobody": (Filters(reasons=("'; DROP TABLE scores; --",)), lambda row: False),
    "fallen since the last time": (
        Filters(moved=("down",)),
        lambda row: moves.direction_of(row["july"], row["tier"]) == "down",
    ),
    "risen or new since the last time": (
        Filters(moved=("up", "in")),
        lambda row: moves.direction_of(row["july"], row["tier"]) in ("up", "in"),
    ),
    "fallen since June": (
        Filters(moved=("down",), moved_since=JUNE),
        lambda row: moves.direction_of(row["june"], row["tier"]) == "down",
    ),
    "moved since June": (
        Filters(moved_since=JUNE),
        lambda row: moves.direction_of(row["june"], row["tier"]) in ("up", "down"),
    ),
    "new since June": (Filters(moved=("in",), moved_since=JUNE), lambda row: not row["june"]),
    "moved since today": (Filters(moved_since=AUGUST), lambda row: False),
}


def listed(rows: list[Row], sort: Sort) -> list[str]:
    """The ids in the order asked for: by number and id, who has none last; bytes decide between ids."""
    back = sort.is_descending
    if sort.by == "customer_id":
        return [row["customer_id"] for row in sorted(rows, key=lambda row: row["customer_id"].encode(), reverse=back)]
    known = [row for row in rows if row[sort.by] is not None]
    known.sort(key=lambda row: (row[sort.by], row["customer_id"].encode()), reverse=back)
    rest = [row for row in rows if row[sort.by] is None]
    rest.sort(key=lambda row: row["customer_id"].encode(), reverse=back)
    return [row["customer_id"] for row in known + rest]


def paged(engine: Engine, filters: Filters, sort: Sort, limit: int) -> list[str]:
    found: list[str] = []
    after: str | None = None
    while True:
        page = search.search(engine, filters, sort, after, limit)
        found += [row["customer_id"] for row in page.rows]
        if page.next is None:
            return found
        assert len(page.rows) == limit
        after = page.next


@pytest.mark.parametrize("walk", [5, 100_000], ids=["reads all", "walks"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_all_pages_together_are_the_filtered_and_sorted_file(
    stored: StoredScores, question: str, walk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset, "SCANNED", walk)
    filters, passes = QUESTIONS[question]
    expected = [row for row in stored.rows if passes(row)]
    for sort in (Sort(), Sort("value", is_descending=True), Sort("p_churn"), Sort("value_at_risk", is_descending=True)):
        assert paged(stored.engine, filters, sort, 97) == listed(expected, sort)
    assert search.count(stored.engine, filters) == len(expected)
    with search.stream(stored.engine, filters) as export:
        streamed = [each for batch in export.batches for each in batch["customer_id"].to_pylist()]
    assert streamed == listed(expected, Sort())


@pytest.mark.parametrize("by", keyset.SORTS)
def test_small_pages_skip_nobody_and_show_nobody_twice(stored: StoredScores, by: keyset.SortKey) -> None:
    for is_descending in (False, True):
        sort = Sort(by, is_descending)
        assert paged(stored.engine, NONE, sort, 7) == listed(stored.rows, sort)


def test_a_row_has_every_column_of_the_contract_and_its_move(stored: StoredScores) -> None:
    expected = {row["customer_id"]: row for row in stored.rows}
    for found in search.search(stored.engine, limit=50).rows:
        row = expected[found["customer_id"]]
        assert {name: found[name] for name in row if name not in ("june", "july")} == {
            name: value for name, value in row.items() if name not in ("june", "july")
        }
        went = moves.direction_of(row["july"], row["tier"])
        assert (found["previous_tier"] or "", found["move"] or "stay") == (row["july"], went)


def test_pages_stay_with_the_generation_of_the_first_and_say_when_it_is_gone(store: Engine, tmp_path: Path) -> None:
    june = drawn_scores.write(tmp_path / "june.parquet")
    publish.publish(store, june)
    first = search.search(store, limit=200)
    assert first.next is not None
    publish.publish(store, drawn_scores.write(tmp_path / "july.parquet", seed=2, as_of=JULY))
    second = search.search(store, after=first.next, limit=200)
    assert second.generation.id == first.generation.id
    assert [row["value"] for row in first.rows + second.rows] == [row["value"] for row in drawn_scores.read(june)]
    generations.prune(store, keep=1)
    with pytest.raises(errors.GenerationGone):
        search.search(store, after=first.next, limit=200)


def test_a_day_before_the_oldest_generation_is_refused(stored: StoredScores) -> None:
    with pytest.raises(errors.GenerationGone, match="reaches back"):
        search.search(stored.engine, Filters(moved_since=JUNE.replace(month=1)))


def test_a_cursor_fits_only_its_own_question(stored: StoredScores) -> None:
    page = search.search(stored.engine, limit=10)
    for filters, sort in ((Filters(tiers=("A",)), Sort()), (NONE, Sort("value"))):
        with pytest.raises(errors.BadInput, match="another query"):
            search.search(stored.engine, filters, sort, after=page.next)


@pytest.mark.parametrize("text", ["", "x", "!!", "bnVsbA", "WzEsMl0", "WyJhIiwiYiIsbnVsbCwiYyJd", "é"])
def test_a_text_that_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(errors.BadInput, match="no cursor"):
        cursor.decode(text, "question")


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_page_has_one_to_a_thousand_rows(stored: StoredScores, limit: int) -> None:
    with pytest.raises(errors.BadInput, match="another size"):
        search.search(stored.engine, limit=limit)
