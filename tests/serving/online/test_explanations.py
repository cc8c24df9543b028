from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import compute

from tests import make_tables, scored_tables
from tests.scored_tables import AS_OF
from tests.serving import score_requests
from tiercast.contract import errors, scores
from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.features.tables import Tables
from tiercast.serving.online import explanations
from tiercast.serving.online.requests import ScoreRequest
from tiercast.serving.online.scorer import Scorer
from tiercast.tiers import languages
from tiercast.training.train import Trained


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DuckDBEngine, Tables]]:
    folder = tmp_path_factory.mktemp("purchases")
    people = make_tables.write_text(folder, "customer_id,x\nprospect,1\n", "people.csv")
    source = scored_tables.write(folder, scored_tables.purchases(400))
    with DuckDBEngine(threads=1) as engine:
        yield engine, reading.read(engine, reading.Sources(source, people), AS_OF).tables


@pytest.fixture(scope="module")
def ids() -> list[str]:
    return sorted(set(scored_tables.purchases(400)["customer_id"].to_pylist()))


@pytest.mark.parametrize("lang", languages.LANGUAGES)
def test_explained_customers_come_in_the_order_asked_for_and_in_words(
    trained: Trained, known: tuple[DuckDBEngine, Tables], ids: list[str], lang: languages.Language
) -> None:
    wanted = [ids[3], "prospect", ids[0]]
    result = explanations.explain(known[0], trained.bundle, known[1], AS_OF, wanted, lang)
    assert [row["customer_id"] for row in result] == wanted
    for row in result:
        assert set(scores.NAMES) < set(row)
        assert row["tier_name"]
        assert row["action_text"]
        assert len(row["reason_texts"]) == len(row["reasons"]) <= 3
        assert not any("{" in text or "<" in text for text in row["reason_texts"])
    assert result[1]["tier"] == "F"


def test_the_explained_score_is_the_one_in_the_file(
    trained: Trained, known: tuple[DuckDBEngine, Tables], ids: list[str], tmp_path: Path
) -> None:
    source = scored_tables.write(tmp_path, scored_tables.purchases(400))
    table = scored_tables.score(trained.bundle, source, tmp_path / "scores.parquet")
    file = {row["customer_id"]: row for row in table.to_pylist()}
    for row in explanations.explain(known[0], trained.bundle, known[1], AS_OF, ids[:5], "en"):
        assert {name: row[name] for name in scores.NAMES} == file[row["customer_id"]]


def test_unknown_customers_are_left_out(trained: Trained, known: tuple[DuckDBEngine, Tables], ids: list[str]) -> None:
    result = explanations.explain(known[0], trained.bundle, known[1], AS_OF, ["nobody", ids[0]], "en")
    assert [row["customer_id"] for row in result] == [ids[0]]
    assert explanations.explain(known[0], trained.bundle, known[1], AS_OF, ["nobody"], "en") == []


def test_tables_without_the_bundles_columns_are_refused(trained: Trained, known: tuple[DuckDBEngine, Tables]) -> None:
    narrow = known[1]._replace(transactions=known[1].transactions.drop("quantity"))
    with pytest.raises(errors.BundleRefused, match=r"transactions\.quantity"):
        explanations.explain(known[0], trained.bundle, narrow, AS_OF, ["x"], "en")


def test_what_would_change_the_letter_is_what_the_service_says(
    trained: Trained, known: tuple[DuckDBEngine, Tables], ids: list[str]
) -> None:
    purchases = scored_tables.purchases(400)
    some = purchases.filter(compute.is_in(purchases["customer_id"], value_set=pa.array(ids[:6])))
    request = score_requests.as_request(some, AS_OF) | {"as_of": AS_OF, "lang": "zh", "letter_change": True}
    rows = Scorer(trained.bundle).score(ScoreRequest.model_validate(request))["scores"]
    names = ("customer_id", "tier", "letter_change", "letter_change_text", "value_text")
    found = explanations.explain(known[0], trained.bundle, known[1], AS_OF, ids[:6], "zh")
    assert [[row[name] for name in names] for row in found] == [[row[name] for name in names] for row in rows]
    assert all(row["letter_change"] for row in found)


def test_prospects_are_explained_without_a_letter_to_change(
    trained: Trained, known: tuple[DuckDBEngine, Tables]
) -> None:
    (row,) = explanations.explain(known[0], trained.bundle, known[1], AS_OF, ["prospect"], "en")
    assert (row["letter_change"], row["letter_change_text"], row["value_text"]) == (None, None, None)
