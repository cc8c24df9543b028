"""The bundle as an MLflow pyfunc model: a data frame of features in, the score columns out.

MLflow calls `_load_pyfunc` by name. Nothing is unpickled and no code is stored with the model, so this package must be
installed where the model is loaded. The output is flat, for JSON and Spark alike: `as_of` is text (2024-06-30),
`reasons` are joined by "|", which no code contains, and a number that a prospect cannot have is None.
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

CUSTOMER, SEPARATOR = "customer_id", "|"


class PyfuncModel:
    """The object that `mlflow.pyfunc.load_model` wraps."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """One row per row: the contract's columns, with `customer_id` only if it was given.

        `params`: `as_of` (text; by default the bundle's own day) is the day the features were built for. `reasons`
        False leaves the reasons empty, which is much faster. Raises `BundleRefused` for missing columns, `WrongType`
        for a feature that is not a number, `BadInput` for an `as_of` that is not a date.
        """
        options = {"reasons": True, "as_of": "", **(params or {})}
        bundle = _dated(self.bundle, str(options["as_of"]))
        features = _features(model_input, bundle.spec.names)
        scored = score.score(bundle, features, reasons="all" if options["reasons"] else "none")
        frame = _flatten(scored, model_input.index)
        return frame if CUSTOMER in model_input.columns else frame.drop(columns=CUSTOMER)


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


def _features(frame: pd.DataFrame, names: Sequence[str]) -> pa.Table:
    _refuse_missing([str(name) for name in frame.columns], names)
    ids = frame[CUSTOMER] if CUSTOMER in frame.columns else pd.Series(range(len(frame)))
    columns = {CUSTOMER: pa.array(ids.astype(str).to_numpy(dtype=object), pa.string())}
    return pa.table(columns | {name: pa.array(_to_floats(frame[name])) for name in names})


def _refuse_missing(given: Sequence[str], wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in given]
    if missing:
        unknown = [name for name in given if name not in (*wanted, CUSTOMER)]
        lines = [f"- {name}" for name in missing] + [f"+ {name}" for name in unknown]
        raise errors.BundleRefused(
            "the bundle reads features that are not given",
            count=len(missing),
            total=len(wanted),
            unit="columns",
            first="\n  ".join([missing[0], "- missing, + unknown to this bundle:", *lines]),
            hint="build the features with the bundle's own spec: tiercast.features.build(tables, as_of, bundle.spec)",
        )


def _to_floats(column: pd.Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    try:
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise errors.WrongType(
            f"the feature `{column.name}` must be a number in every row", first=str(error), hint="cast it to double"
        ) from error


def _flatten(scored: pa.Table, index: pd.Index[Any]) -> pd.DataFrame:
    frame: pd.DataFrame = scored.to_pandas()
    days = [day.isoformat() for day in frame["as_of"]]
    joined = [SEPARATOR.join(codes) for codes in scored["reasons"].to_pylist()]
    return _with_nulls(frame.assign(as_of=days, reasons=joined)).set_axis(index)


def _with_nulls(frame: pd.DataFrame) -> pd.DataFrame:
    """None instead of NaN: MLflow's server writes NaN literally, which no strict JSON reader accepts."""
    incomplete = [name for name in frame.columns if frame[name].isna().any()]
    return frame.assign(**{name: frame[name].astype(object).where(frame[name].notna(), None) for name in incomplete})
