"""Scores as CSV for a spreadsheet: reasons in words, and no cell that would be run as a formula (`csv_cells`).

A file with Chinese texts begins with a byte order mark, without which Excel takes it for another encoding.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import pyarrow as pa
from pyarrow import csv

from tiercast.serving import csv_cells
from tiercast.serving.http.scores import serialize
from tiercast.tiers.languages import Language

MARK = "\ufeff"
WORDS = ("reason_texts", "action_text")


def header(schema: pa.Schema, lang: Language) -> bytes:
    return (MARK if lang == "zh" else "").encode() + csv_cells.header((*schema.names, *WORDS))


def rows(batch: pa.RecordBatch, lang: Language) -> bytes:
    """The lines of these customers: the columns of a score file, then their codes in words."""
    columns = {name: batch.column(name) for name in batch.schema.names}
    columns["reason_texts"] = _in_words(columns["reasons"], lang)
    columns["action_text"] = _replaced(columns["action"], lambda code: serialize.action(code, lang))
    text = io.BytesIO()
    csv.write_csv(csv_cells.table(pa.table(columns)), text, csv_cells.ROWS_ONLY)
    return text.getvalue()


def _in_words(codes: pa.ListArray, lang: Language) -> pa.ListArray:
    words = _replaced(codes.flatten(), lambda code: serialize.reason(code, lang))
    return pa.ListArray.from_arrays(codes.offsets, words)


def _replaced(codes: pa.Array, word: Callable[[str], str]) -> pa.Array:
    """The text of each code; `word` is called once per code, however often it occurs."""
    encoded = codes.dictionary_encode()
    words = pa.array([word(code) for code in encoded.dictionary.to_pylist()], pa.string())
    return words.take(encoded.indices)
