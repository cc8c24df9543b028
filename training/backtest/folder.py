"""The folder of a backtest: per date a JSON and a Parquet file, each there as a whole or not at all.

1998-01-02.parquet   forecast and outcome of each buyer
1998-01-02.json      inputs, metrics, cuts, and the hash of the Parquet file; written last, so it means "finished"
"""

from __future__ import annotations

import datetime as dt
import json
import math
import pathlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import pyarrow.parquet as pq

from tiercast.contract import errors, files, strict_json
from tiercast.training.backtest import inputs as dependencies
from tiercast.training.backtest.day import Day
from tiercast.training.backtest.inputs import Inputs

FORMAT = 1
SCORES = "scores"
SUBJECT = "the backtest"
HINT = "check the permissions and the space left, or pass another --out folder"


def check(folder: pathlib.Path) -> None:
    """Make the folder and refuse one that cannot be written to, before any work is done. Raises `CannotWrite`."""
    files.require_writable(folder / "any.json", subject=SUBJECT, hint=HINT)


def read(folder: pathlib.Path, now: Inputs) -> Day | None:
    """The finished date with these inputs; None where it is to be done (again).

    Raises `BadInput` where a finished date stands on other inputs, and `CannotWrite` where the file is not ours.
    """
    file = folder / f"{now['as_of']}.json"
    if not file.exists():
        return None
    kept = _json(file)
    if dependencies.is_outgrown(kept["inputs"], now):
        return None
    dependencies.require(kept["inputs"], now, file)
    scores = file.with_suffix(".parquet")
    if kept[SCORES] is not None and (not scores.exists() or files.sha256(scores) != kept[SCORES]):
        return None
    table = pq.read_table(scores) if kept[SCORES] is not None else None
    as_of = dt.date.fromisoformat(kept["as_of"])
    return Day(as_of, _numbers(kept["card"]), _numbers(kept["gains"]), kept["cuts"], table, kept["not_judged"])


def write(folder: pathlib.Path, day: Day, now: Inputs) -> None:
    """Keep a finished date. Raises `CannotWrite`."""
    scores = folder / f"{day.as_of}.parquet"
    if day.scores is not None:
        table = day.scores
        with replace_file(scores) as part:
            pq.write_table(table, part, compression="zstd")
    record = {name: part for name, part in day._asdict().items() if name != SCORES}
    record |= {"format": FORMAT, "inputs": now, SCORES: files.sha256(scores) if day.scores is not None else None}
    put_json(folder / f"{day.as_of}.json", record)


def replace_file(file: pathlib.Path) -> AbstractContextManager[pathlib.Path]:
    """Yield a new file to write to, which replaces `file` when the block succeeds. Raises `CannotWrite`."""
    return files.write_atomically(file, subject=SUBJECT, hint=HINT)


def put_json(file: pathlib.Path, data: Mapping[str, Any]) -> None:
    """Strict JSON: NaN and infinities become null."""
    text = strict_json.dumps(data, indent=1, sort_keys=True)
    with replace_file(file) as part:
        part.write_text(text + "\n", encoding="utf-8")


def get_json(file: pathlib.Path) -> dict[str, Any]:
    """The parsed content; empty where there is none that can be read."""
    try:
        found: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _json(file: pathlib.Path) -> dict[str, Any]:
    kept = get_json(file)
    parts = {"as_of", "card", "cuts", "gains", "inputs", "not_judged", SCORES}
    if kept.get("format") != FORMAT or not parts <= set(kept):
        hint = "pass another --out folder, or move that file away"
        raise errors.CannotWrite("a file in this place is no date of a backtest", first=str(file), hint=hint)
    return kept


def _numbers(data: Any) -> Any:
    """Metrics as they were: their null can only have been nan."""
    if isinstance(data, dict):
        return {name: _numbers(part) for name, part in data.items()}
    if isinstance(data, list):
        return [_numbers(part) for part in data]
    return math.nan if data is None else data
