"""Score some customers and put their numbers, reasons and actions into words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tiercast.features.reading import Sources
    from tiercast.models.bundle import Bundle
    from tiercast.tiers.languages import Language


def explain(bundle: Bundle, sources: Sources, day: dt.date, ids: Sequence[str], lang: Language) -> list[dict[str, Any]]:
    """One row per customer with scores and texts, in the order of `ids`; unknown ids are left out."""
    from tiercast.features import reading
    from tiercast.features.engines.duckdb import DuckDBEngine
    from tiercast.serving.online import explanations

    with DuckDBEngine() as engine:
        read = reading.read(engine, sources.trained_on(bundle.spec), day, is_counted=False)
        return explanations.explain(engine, bundle, read.tables, day, list(ids), lang)
