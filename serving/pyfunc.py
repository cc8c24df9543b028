"""The bundle as an MLflow pyfunc model: a data frame of features in, the score columns out.

MLflow calls `_load_pyfunc` by name; nothing is unpickled and no code travels with the model, so this
package must be installed where the model is loaded. The answer is flat, for JSON and Spark alike:
`as_of` is text (2024-06-30), `reasons` are joined by "|" (codes have none in them), and a number that a
prospect cannot have is None.
"""

from __future__ import annotations

import datetime as dt
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tiercast.contract import errors
from tiercast.models import bundle as bundles
from tiercast.models import bundle_folder
from tiercast.models.bundle import Bundle
from tiercast.serving import score

CUSTOMER, BETWEEN_REASONS = "customer_id", "|"


class PyfuncModel:
    """What `mlflow.pyfunc.load_model` wraps."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """One row per row: the contract's columns, `customer_id` only if it was given.

        `params`: `as_of` (text; default the bundle's own day) is the day the features were built for;
        `reasons` False leaves the reasons empty, which is much faster. Raises `BundleRefused` for other
        columns, `WrongType` for what is no number, `BadInput` for another as_of than a date.
        """
        asked = {"reasons": True, "as_of": ""} | dict(params or {})
        bundle = _dated(self.bundle, str(asked["as_of"]))
        table = _features(model_input, bundle.spec.names)
        scored = score.score(bundle, table, reasons="all" if asked["reasons"] else "none")
        answer = _flat(scored, model_input.index)
        return answer if CUSTOMER in model_input.columns else answer.drop(columns=CUSTOMER)


def _load_pyfunc(data_path: str) -> PyfuncModel:
    return PyfuncModel(bundle_folder.load(pathlib.Path(data_path)))


def _dated(bundle: Bundle, as_of: str) -> Bundle:
    if not as_of:
        return bundle
    try:
        day = dt.date.fromisoformat(as_of)
    except ValueError as error:
        hint = "write it as 2024-06-30, or leave it out"
        raise errors.BadInput("as_of is not a date", first=repr(as_of), hint=hint) from error
    return bundles.dated(bundle, day)


def _features(given: pd.DataFrame, names: Sequence[str]) -> pa.Table:
    _refuse_other_columns([str(name) for name in given.columns], names)
    ids = given[CUSTOMER] if CUSTOMER in given.columns else pd.Series(range(len(given)))
    columns = {CUSTOMER: pa.array(ids.astype(str).to_numpy(dtype=object), pa.string())}
    return pa.table(columns | {name: pa.array(_numbers(given[name])) for name in names})


def _refuse_other_columns(given: Sequence[str], wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in given]
    if missing:
        unknown = [name for name in given if name not in (*wanted, CUSTOMER)]
        lines = [f"- {name}" for name in missing] + [f"+ {name}" for name in unknown]
        raise errors.BundleRefused(
            "the bundle asks for features that are not there",
            count=len(missing),
            total=len(wanted),
            unit="columns",
            first="\n  ".join([missing[0], "- missing, + unknown to this bundle:", *lines]),
            hint="build the features with the bundle's own spec: tiercast.features.build(tables, as_of, bundle.spec)",
        )


def _numbers(column: pd.Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    try:
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise errors.WrongType(
            f"the feature `{column.name}` must be a number in every row", first=str(error), hint="cast it to double"
        ) from error


def _flat(scored: pa.Table, index: pd.Index[Any]) -> pd.DataFrame:
    frame: pd.DataFrame = scored.to_pandas()
    days = [day.isoformat() for day in frame["as_of"]]
    joined = [BETWEEN_REASONS.join(codes) for codes in scored["reasons"].to_pylist()]
    return _with_nulls(frame.assign(as_of=days, reasons=joined)).set_axis(index)


def _with_nulls(frame: pd.DataFrame) -> pd.DataFrame:
    """None instead of NaN: MLflow's server writes NaN as it is, which no strict JSON reader takes."""
    lacking = [name for name in frame.columns if frame[name].isna().any()]
    return frame.assign(**{name: frame[name].astype(object).where(frame[name].notna(), None) for name in lacking})
