"""Every step on CDNOW's customers that a user would type, from raw purchases to a grid with explained customers."""

from __future__ import annotations

import datetime as dt
import pathlib
from typing import TYPE_CHECKING, Any

from tiercast.demo import cdnow
from tiercast.terminal import console, customer, grid, readiness, scorecard
from tiercast.workflows import bundles, check, explain, score, train

if TYPE_CHECKING:
    from tiercast.tiers.languages import Language

AS_OF = dt.date(1998, 7, 1)
HORIZONS = {"churn_days": 90, "value_days": 180}


def run(folder: pathlib.Path, lang: Language, *, as_json: bool) -> None:
    """Write orders, bundle and scores into `folder`, log the run, and print what a team would look at."""
    from tiercast.features.reading import Sources
    from tiercast.training import settings

    orders, bundle, out = folder / "orders.parquet", folder / "bundle", folder / "scores.parquet"
    cdnow.write_parquet(orders)
    sources = Sources(str(orders))
    checked = check.check(sources, AS_OF, HORIZONS["churn_days"], HORIZONS["value_days"])
    chosen = settings.load(None, HORIZONS).model_copy(update={"clv": settings.Clv(currency="USD")})
    trained, run_id = train.train(sources, AS_OF, chosen, bundle, register=True, tracked=True)
    loaded = bundles.load(bundle, None)
    scored = score.score(bundle, loaded, sources, AS_OF, out)
    rows = explain.explain(loaded, sources, AS_OF, _pick_five(out), lang)
    if as_json:
        facts = {**score.summarize(scored, loaded, AS_OF), "run": run_id, **trained.bundle.scorecard}
        console.print_json({**facts, "explained": rows})
        return
    for text in checked.report.lines():
        console.print_line(text)
    readiness.print_readiness(checked.readiness)
    grid.print_grid(scored.totals.rows(), "USD", lang)
    scorecard.print_scorecard(trained.bundle.scorecard)
    console.print_line("")
    for row in rows:
        customer.print_customer(row, lang)
    _print_places(out, bundle, run_id)


def _pick_five(out: pathlib.Path) -> list[str]:
    """Of each tier A to E the customer worth most, then the next of each, until there are five."""
    import pyarrow.parquet as pq

    table = pq.read_table(out, columns=["customer_id", "tier", "value"])
    rows: list[dict[str, Any]] = table.sort_by([("value", "descending"), ("customer_id", "ascending")]).to_pylist()
    by_tier = [[row["customer_id"] for row in rows if row["tier"] == tier][:5] for tier in "ABCDE"]
    in_turn = [ids[place] for place in range(5) for ids in by_tier if place < len(ids)]
    return sorted(in_turn[:5], key=[row["customer_id"] for row in rows].index)


def _print_places(out: pathlib.Path, bundle: pathlib.Path, run_id: str | None) -> None:
    """Where the files are, and the next command."""
    console.print_line("")
    console.print_line(f"scores   {out}")
    console.print_line(f"bundle   {bundle}")
    console.print_line(f"run      {run_id}, registered as challenger; look at it: make ui, then http://127.0.0.1:5000")
    console.print_line(f"next     tiercast promote {run_id}: eight gates decide, and say what they measured")
