"""The demo's story: CDNOW's customers from raw purchases to a grid, with every step that a user would type."""

from __future__ import annotations

import datetime as dt
import pathlib
from typing import Any

import pyarrow.parquet as pq

from tiercast import cdnow, options, say, show
from tiercast.commands import check, explain, score, train
from tiercast.features.reading import Sources
from tiercast.training import settings

AS_OF = dt.date(1998, 7, 1)
HORIZONS = {"churn_days": 90, "value_days": 180}


def tell(folder: pathlib.Path, lang: str, *, as_json: bool) -> None:
    """Write orders, bundle and scores into `folder`, log the run, and print what a team would look at."""
    spoken = options.language(lang)
    folder.mkdir(parents=True, exist_ok=True)
    orders, bundle, out = folder / "orders.parquet", folder / "bundle", folder / "scores.parquet"
    cdnow.write_parquet(orders)
    where = Sources(str(orders))
    read, readiness = check.measure(where, AS_OF, HORIZONS["churn_days"], HORIZONS["value_days"])
    chosen = settings.load(None, HORIZONS).model_copy(update={"clv": settings.Clv(currency="USD")})
    trained, run = train.fit_and_keep(where, AS_OF.isoformat(), chosen, bundle, register=True, tracked=True)
    loaded = score.load(bundle, None)
    done = score.run(loaded, where, AS_OF, out)
    explained = explain.of(loaded, where, AS_OF, _five(out), spoken)
    if as_json:
        say.as_json(
            {**score.summary(done, loaded, AS_OF), "run": run, **trained.bundle.scorecard, "explained": explained}
        )
        return
    for text in read.lines():
        say.line(text)
    show.readiness(readiness)
    show.grid(done.totals.rows(), "USD", spoken)
    show.scorecard(trained.bundle.scorecard)
    say.line("")
    for row in explained:
        show.customer(row, spoken)
    _where_next(out, bundle, run)


def _five(out: pathlib.Path) -> list[str]:
    """Of each tier A to E the customer worth most, then the next of each, until there are five."""
    table = pq.read_table(out, columns=["customer_id", "tier", "value"])
    rows: list[dict[str, Any]] = table.sort_by([("value", "descending"), ("customer_id", "ascending")]).to_pylist()
    by_tier = [[row["customer_id"] for row in rows if row["tier"] == tier][:5] for tier in "ABCDE"]
    in_turn = [ids[place] for place in range(5) for ids in by_tier if place < len(ids)]
    return sorted(in_turn[:5], key=[row["customer_id"] for row in rows].index)


def _where_next(out: pathlib.Path, bundle: pathlib.Path, run: str | None) -> None:
    say.line("")
    say.line(f"scores   {out}")
    say.line(f"bundle   {bundle}")
    say.line(f"run      {run}, registered as challenger; look at it: make ui, then http://127.0.0.1:5000")
    say.line(f"next     tiercast promote {run}: eight gates decide, and say what they measured")
