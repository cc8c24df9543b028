from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import compute, parquet

from tests import cdnow_table
from tests.serving.score_requests import AS_OF, as_request, customer, purchase, score_body
from tiercast.contract import scores
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.features.reading import Sources
from tiercast.models import bundle_folder
from tiercast.serving.batch import scoring


@pytest.fixture(scope="module")
def purchases() -> pa.Table:
    """All purchases of 150 customers, none of whom the bundle was trained on."""
    table = cdnow_table.cdnow()
    number = table["customer_id"].cast(pa.int64())
    is_other = compute.equal(compute.bit_wise_and(number, 15), 5)
    return table.filter(compute.and_(is_other, compute.less_equal(number, 150 * 16)))


@pytest.mark.parametrize("as_of", [AS_OF, dt.date(1998, 8, 1)], ids=str)
def test_a_customer_gets_the_same_score_over_http_as_in_the_nightly_file(
    client: Any, served: Path, purchases: pa.Table, tmp_path: Path, as_of: dt.date
) -> None:
    afterwards = purchases.slice(0, 20).set_column(1, "ordered_at", pa.array([dt.date(1998, 7, 15)] * 20))
    purchases = pa.concat_tables([purchases, afterwards])
    parquet.write_table(purchases, tmp_path / "purchases.parquet")
    with DuckDBEngine(threads=1) as engine:
        scoring.score_all(
            engine,
            bundle_folder.load(served),
            Sources(str(tmp_path / "purchases.parquet")),
            as_of,
            tmp_path / "out.parquet",
        )
    nightly = {row["customer_id"]: row for row in parquet.read_table(tmp_path / "out.parquet").to_pylist()}
    response = client.post("/v1/score", json=as_request(purchases, as_of)).json()
    online = {row["customer_id"]: row for row in response["scores"]}
    assert online.keys() == nightly.keys()
    assert len(online) == 150
    for key, expected in nightly.items():
        given = {name: online[key][name] for name in scores.NAMES}
        assert given == {**expected, "as_of": as_of.isoformat()}  # floats too: the same bits, through JSON
    late = compute.sum(compute.greater_equal(purchases["ordered_at"], as_of)).as_py()
    assert response["dropped"]["transactions"] == ({"on_or_after_as_of": late} if late else {})
    assert (as_of == AS_OF) == (late == 20)


def test_a_score_has_the_columns_of_the_contract_and_their_codes_in_words(client: Any) -> None:
    request = score_body(customer("a", purchase()), customer("b", purchase("1998-06-30")))
    response = client.post("/v1/score", json=request).json()
    assert [row["customer_id"] for row in response["scores"]] == ["a", "b"]
    for row in response["scores"]:
        assert tuple(row) == (*scores.NAMES, "reason_texts", "action_text", "value_text")
        assert len(row["reason_texts"]) == len(row["reasons"]) > 0
        assert row["action_text"].endswith(".")


def test_a_customer_without_orders_has_nulls_and_chinese_texts(client: Any) -> None:
    (row,) = client.post("/v1/score", json=score_body(customer("a"), lang="zh")).json()["scores"]
    assert (row["tier"], row["status"], row["value"], row["p_churn"]) == ("F", "prospect", None, None)
    assert row["reason_texts"] == ["已有登记，尚未下单"]


def test_reason_texts_name_the_numbers_of_their_customer(client: Any) -> None:
    """Silent from 1998-01-03 to 1998-07-01: 28 + 28 + 31 + 30 + 31 + 30 + 1 = 179 days."""
    (row,) = client.post("/v1/score", json=score_body(customer("a", purchase("1998-01-03")))).json()["scores"]
    texts = dict(zip(row["reasons"], row["reason_texts"], strict=True))
    assert texts.get("silent_long", "ordered once, 179 days ago") == "ordered once, 179 days ago"
    assert {"silent_long", "one_order_only"} & set(texts)


def test_other_customers_in_the_request_change_no_score(client: Any, purchases: pa.Table) -> None:
    everyone = as_request(purchases, AS_OF)
    together = client.post("/v1/score", json=everyone).json()["scores"]
    for place in (0, 71, 149):
        alone = {**everyone, "customers": [everyone["customers"][place]]}
        assert client.post("/v1/score", json=alone).json()["scores"] == [together[place]]


def test_purchases_on_or_after_the_day_are_counted_and_change_nothing(client: Any) -> None:
    known = customer("a", purchase("1998-03-01"), purchase("1998-05-01"))
    later = customer("a", *known["transactions"], purchase("1998-07-01", 999), purchase("2031-01-01", -5))
    without, beside = (client.post("/v1/score", json=score_body(each)).json() for each in (known, later))
    assert beside["scores"] == without["scores"]
    assert beside["dropped"]["transactions"] == {"on_or_after_as_of": 2}


def test_a_customer_who_joins_later_is_not_there_yet(client: Any) -> None:
    late = {**customer("late"), "joined_on": "1998-07-01"}
    early = {**customer("early"), "joined_on": "1998-06-30"}
    response = client.post("/v1/score", json=score_body(late, early)).json()
    assert [row["customer_id"] for row in response["scores"]] == ["early"]
    assert response["dropped"]["customers"] == {"on_or_after_as_of": 1}


def test_the_model_card_defines_every_number(client: Any, served: Path) -> None:
    card = client.get("/v1/model").json()
    assert [column["name"] for column in card["columns"]] == list(scores.NAMES)
    assert all(column["meaning"] for column in card["columns"])
    assert card["manifest"] == json.loads((served / "manifest.json").read_text(encoding="utf-8"))
    assert card["reads"]["transactions"] == ["ordered_at", "amount", "quantity"]
    assert card["cuts"]["p_churn"] == 0.5
    assert card["texts"]["zh"]["tiers"].keys() == set("ABCDEF")


def test_the_first_page_loads_nothing_from_elsewhere_and_links_to_the_document(client: Any) -> None:
    page = client.get("/")
    assert 'href="/docs.json"' in page.text
    assert not re.search("script|https?://", page.text)
    assert "/v1/score" in client.get("/docs.json").json()["paths"]


def test_the_probes_respond(client: Any) -> None:
    assert [client.get(path).status_code for path in ("/livez", "/readyz")] == [200, 200]


def test_a_large_response_closes_its_connection_where_another_worker_may_be_idle(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tiercast.serving.http import bento
    from tiercast.serving.online import micro_batch

    def connection(n_customers: int) -> str | None:
        people = [customer(f"c-{k}", purchase()) for k in range(n_customers)]
        response = client.post("/v1/score", json=score_body(*people))
        assert response.status_code == 200
        result: str | None = response.headers.get("connection")
        return result

    assert connection(micro_batch.MAX_BATCH_CUSTOMERS + 1) is None
    state = bento.application.state.worker
    monkeypatch.setattr(state, "limits", state.limits._replace(workers=2))
    assert connection(micro_batch.MAX_BATCH_CUSTOMERS + 1) == "close"
    assert connection(micro_batch.MAX_BATCH_CUSTOMERS) is None
