from __future__ import annotations

import csv
import io
from typing import Any

import pyarrow as pa
from pyarrow import compute, parquet

from tests.serving.http.scores.conftest import Stored
from tests.serving.score_requests import refusal
from tiercast.contract import scores
from tiercast.serving.http.scores import store_pool
from tiercast.serving.http.scores.export import WriteBuffer

URL = "/v1/customers/search"


def as_table(content: bytes) -> pa.Table:
    return parquet.read_table(io.BytesIO(content))


def as_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_parquet_file_is_the_published_one_in_the_order_of_ids(client: Any, stored: Stored) -> None:
    response = client.post(URL, json={"format": "parquet"})
    published = parquet.read_table(stored.now.path)
    given = as_table(response.content)
    order = sorted(range(len(published)), key=lambda row: published["customer_id"][row].as_py().encode())
    assert given.equals(published.take(order))
    assert given.schema.equals(published.schema)
    for field in given.schema:
        assert scores.about(field) == scores.about(published.schema.field(field.name))
    assert scores.about(given.schema) == {**scores.about(published.schema), "generation": 2}
    assert response.headers["content-type"] == "application/vnd.apache.parquet"


def test_an_export_names_its_generation_and_its_age(client: Any) -> None:
    headers = client.post(URL, json={"format": "csv"}).headers
    assert headers["x-tiercast-generation"] == "2"
    assert headers["x-tiercast-as-of"] == "2024-07-01"
    assert 0 <= int(headers["x-tiercast-age-seconds"]) < 600
    assert headers["content-disposition"] == 'attachment; filename="scores-2024-07-01-generation-2.csv"'


def test_an_export_has_exactly_the_customers_of_the_search(client: Any) -> None:
    criteria = {"tiers": ["A", "C"], "reasons": ["silent_long"], "value": {"min": 30}}
    result = client.post(URL, json={**criteria, "limit": 1000}).json()["scores"]
    expected = sorted((row["customer_id"] for row in result), key=str.encode)
    table = as_table(client.post(URL, json={**criteria, "format": "parquet"}).content)
    assert table["customer_id"].to_pylist() == expected
    rows = as_rows(client.post(URL, json={**criteria, "format": "csv"}).text)
    assert [row["customer_id"].removeprefix("'") for row in rows] == expected
    assert "selection" in scores.about(table.schema)


def test_the_csv_has_the_same_numbers_and_the_codes_in_words(client: Any, stored: Stored) -> None:
    rows = as_rows(client.post(URL, json={"format": "csv"}).text)
    assert len(rows) == 400
    assert tuple(rows[0]) == (*scores.NAMES, "reason_texts", "action_text")
    for row in rows:
        expected = stored.now.row(row["customer_id"].removeprefix("'"))
        assert row["value"] == ("" if expected["tier"] == "F" else repr(expected["value"]).removesuffix(".0"))
        assert row["reasons"] == "; ".join(expected["reasons"])
        assert len(row["reason_texts"].split("; ")) == max(1, len(expected["reasons"]))
        assert row["as_of"] == "2024-07-01"


def test_no_cell_of_the_csv_begins_like_a_formula(client: Any, stored: Stored) -> None:
    """Four of the published ids do; a spreadsheet shows them as text, and Parquet has them as they are."""
    rows = as_rows(client.post(URL, json={"format": "csv"}).text)
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    marked = {row["customer_id"] for row in rows if row["customer_id"].startswith("'")}
    assert marked == {"'=cmd|' /C calc'!A0", "'+49 30 901820", "'-7", "'@ann"}


def test_a_chinese_csv_begins_with_a_byte_order_mark(client: Any) -> None:
    english, chinese = (client.post(URL, json={"format": "csv", "lang": lang}).content for lang in ("en", "zh"))
    assert chinese.startswith(b"\xef\xbb\xbfcustomer_id,")
    assert english.startswith(b"customer_id,")
    assert "本周内由专人致电。" in chinese.decode("utf-8-sig")


def test_an_export_without_customers_is_a_complete_file(client: Any) -> None:
    nobody = {"value": {"min": 1e12}}
    assert as_table(client.post(URL, json={**nobody, "format": "parquet"}).content).num_rows == 0
    assert as_rows(client.post(URL, json={**nobody, "format": "csv"}).text) == []


def test_a_third_export_gets_503_and_other_requests_are_served(client: Any) -> None:
    places = store_pool.current().exports
    for _ in range(store_pool.MAX_EXPORTS):
        assert places.acquire(blocking=False)
    try:
        response = client.post(URL, json={"format": "csv"})
        assert refusal(response, 503)["code"] == "ExportsBusy"
        assert response.headers["retry-after"] == "10"
        assert client.post(URL, json={"limit": 1}).status_code == 200
    finally:
        places.release(store_pool.MAX_EXPORTS)


def test_an_export_that_cannot_start_is_not_counted_as_running(client: Any) -> None:
    for _ in range(2 * store_pool.MAX_EXPORTS):
        refusal(client.post(URL, json={"format": "csv", "moved_since": "2000-01-01"}), 422)
        assert client.post(URL, json={"format": "csv"}).status_code == 200


def test_a_write_buffer_drops_what_was_taken_and_keeps_its_position() -> None:
    buffer = WriteBuffer()
    buffer.write(b"abc")
    assert (buffer.take(), buffer.take(), buffer.tell()) == (b"abc", b"", 3)
    table = pa.table({"n": range(1000)})
    with parquet.ParquetWriter(buffer := WriteBuffer(), table.schema) as file:
        pieces = [(file.write_table(part), buffer.take())[1] for part in (table[:400], table[400:])]
    assert compute.sum(as_table(b"".join([*pieces, buffer.take()]))["n"]).as_py() == 499_500  # 1000 × 999 / 2
