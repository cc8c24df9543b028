"""CDNOW: 23,570 real customers of an online music shop, 1997-01 to 1998-06, as the `lifetimes` package ships them.

All of them bought for the first time in the first quarter of 1997. One row per customer, day and basket; 80 amounts
are zero. Fader & Hardie (2001), "Forecasting repeat sales at CDNOW: a case study", Interfaces 31(3).
"""

from __future__ import annotations

import importlib.util
import pathlib

import pyarrow as pa
from pyarrow import compute, parquet

from tiercast.contract import errors, files


def cdnow() -> pa.Table:
    """One row per basket: customer_id (text of five digits), ordered_at (date), quantity (CDs), amount (USD).

    >>> cdnow().num_rows
    69659
    >>> cdnow().slice(0, 1).to_pylist()
    [{'customer_id': '00001', 'ordered_at': datetime.date(1997, 1, 1), 'quantity': 1, 'amount': 11.77}]
    """
    lines = pa.array(_master().read_text(encoding="ascii").splitlines()[1:])
    words = compute.utf8_split_whitespace(compute.utf8_trim_whitespace(lines))
    customer_id, day, quantity, amount = (compute.list_element(words, place) for place in range(4))
    ordered_at = compute.strptime(day, format="%Y%m%d", unit="s").cast(pa.date32())
    return pa.table(
        {
            "customer_id": customer_id,
            "ordered_at": ordered_at,
            "quantity": quantity.cast(pa.int64()),
            "amount": amount.cast(pa.float64()),
        }
    )


def write_parquet(path: pathlib.Path) -> pathlib.Path:
    """The same as a Parquet file; missing folders are made. Raises `CannotWrite`."""
    with files.write_atomically(path, hint="pass --folder a place that this user may write to") as part:
        parquet.write_table(cdnow(), part)
    return path


def _master() -> pathlib.Path:
    """The file inside the package, found without importing it, which would take seconds."""
    spec = importlib.util.find_spec("lifetimes")
    if spec is None or spec.origin is None:
        raise errors.SourceUnreadable(
            "CDNOW comes with the lifetimes package, which is not installed",
            first="CDNOW_master.txt",
            hint="pip install 'tiercast[train]'",
        )
    return pathlib.Path(spec.origin).parent / "datasets" / "CDNOW_master.txt"
