"""Scores as CSV for a spreadsheet: reasons in words, and no cell that would be run as a formula.

A cell that begins like a formula gets an apostrophe in front, which spreadsheets take as "this is text". That changes
such an id, so programs should take Parquet. A file with Chinese texts begins with a byte order mark, without which
Excel takes it for another encoding.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import pyarrow as pa
from pyarrow import compute, csv

from tiercast.serving.http.scores import serialize
from tiercast.tiers.languages import Language

FORMULA = "^[=+\\-@\t\r\n＝＋－＠]"
BETWEEN = "; "
MARK = "\ufeff"
WORDS = ("reason_texts", "action_text")


def header(schema: pa.Schema, lang: Language) -> bytes:
    names = ",".join((*schema.names, *WORDS))
    return f"{MARK if lang == 'zh' else ''}{names}\n".encode()


def rows(batch: pa.RecordBatch, lang: Language) -> bytes:
    """The lines of these customers: the columns of a score file, then their codes in words."""
    columns = {name: batch.column(name) for name in batch.schema.names}
    columns["reason_texts"] = _in_words(columns["reasons"], lang)
    columns["action_text"] = _replaced(columns["action"], lambda code: serialize.action(code, lang))
    text = io.BytesIO()
    cells = pa.table({name: _cells(column) for name, column in columns.items()})
    csv.write_csv(cells, text, csv.WriteOptions(include_header=False))
    return text.getvalue()


def _cells(column: pa.Array) -> pa.Array:
    if pa.types.is_list(column.type):
        column = compute.binary_join(column, BETWEEN)
    return harmless(column) if pa.types.is_string(column.type) else column


def harmless(texts: pa.Array) -> pa.Array:
    """Texts that no spreadsheet takes for a formula.

    >>> harmless(pa.array(["c-1", "=1+1", "-7", None])).to_pylist()
    ['c-1', "'=1+1", "'-7", None]
    """
    marked = compute.binary_join_element_wise("'", texts, "")
    return compute.if_else(compute.match_substring_regex(texts, FORMULA), marked, texts)


def _in_words(codes: pa.ListArray, lang: Language) -> pa.ListArray:
    words = _replaced(codes.flatten(), lambda code: serialize.reason(code, lang))
    return pa.ListArray.from_arrays(codes.offsets, words)


def _replaced(codes: pa.Array, word: Callable[[str], str]) -> pa.Array:
    """The text of each code; `word` is called once per code, however often it occurs."""
    encoded = codes.dictionary_encode()
    words = pa.array([word(code) for code in encoded.dictionary.to_pylist()], pa.string())
    return words.take(encoded.indices)
