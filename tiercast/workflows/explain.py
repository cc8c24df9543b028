"""Score some customers and put their numbers, reasons and actions into words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tiercast.contract import errors

if TYPE_CHECKING:
    from tiercast.features.engines import Engine
    from tiercast.features.reading import Reading, Sources
    from tiercast.models.bundle import Bundle
    from tiercast.tiers.languages import Language


def explain(bundle: Bundle, sources: Sources, day: dt.date, ids: Sequence[str], lang: Language) -> list[dict[str, Any]]:
    """One row per customer with scores and texts, in the order of `ids`. Raises `BadInput` where an id is not known."""
    from tiercast.features import reading
    from tiercast.features.engines.duckdb import DuckDBEngine
    from tiercast.serving.online import explanations

    with DuckDBEngine() as engine:
        read = reading.read(engine, sources.trained_on(bundle.spec), day, is_counted=False)
        rows = explanations.explain(engine, bundle, read.tables, day, list(ids), lang)
        known = {row["customer_id"] for row in rows}
        _refuse_unknown(engine, read, ids, [each for each in ids if each not in known])
        return rows


def _refuse_unknown(engine: Engine, read: Reading, ids: Sequence[str], missing: Sequence[str]) -> None:
    """Raises BadInput for the ids without a row, with the nearest ones to the first of them."""
    if not missing:
        return
    from tiercast.serving.online import nearest_ids

    nearest = nearest_ids.find(engine, read, missing[0])
    alike = f"nearest: {', '.join(map(repr, nearest))}; " if nearest else ""
    raise errors.BadInput(
        "the customer is not known",
        count=len(missing),
        total=len(ids),
        unit="customers",
        first=missing[0],
        hint=f"{alike}ids are text, spelled as in the transactions; they must be known before --as-of",
    )
