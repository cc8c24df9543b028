"""What the result of a date depends on: a finished date counts only while none of this has changed."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from tiercast.contract import errors
from tiercast.features.spec import FeatureSpec
from tiercast.training.backtest.digest import Rows
from tiercast.training.backtest.plan import Planned
from tiercast.training.settings import Settings

Inputs = dict[str, Any]


def collect(planned: Planned, rows: Rows, spec: FeatureSpec, settings: Settings, bundle: str | None) -> Inputs:
    """Plain data, as it comes back from JSON.

    What columns are called is in the rows' digest, and threads only change the pace: neither has a say.
    """
    closes = {"churn": planned.churn_closes, "value": planned.value_closes}
    found = {
        "as_of": planned.as_of,
        "closed": {target: day for target, day in closes.items() if day},
        "data": rows.until(planned.until),
        "settings": settings.model_dump(mode="json", exclude={"columns": True, "rolling": {"threads": True}}),
        "features": spec.as_dict(),
        "bundle": bundle,
        "tiercast": metadata.version("tiercast"),
    }
    plain: Inputs = json.loads(json.dumps(found, default=str))
    return plain


def is_outgrown(kept: Inputs, now: Inputs) -> bool:
    """Whether only more windows have closed since: the date is to be judged again, on all of them."""
    has_more = set(kept.get("closed", {})) < set(now["closed"])
    rest = [{name: part for name, part in each.items() if name not in ("closed", "data")} for each in (kept, now)]
    return has_more and rest[0] == rest[1]


def require(kept: Inputs, now: Inputs, file: pathlib.Path) -> None:
    """Raise `BadInput` naming what has changed since the date was finished."""
    then, today = _flat(kept), _flat(now)
    changed = [name for name in sorted({*then, *today}) if then.get(name) != today.get(name)]
    if not changed:
        return
    changes = "; ".join(
        f"{name} was {then.get(name, 'not there')}, is {today.get(name, 'not there')}" for name in changed
    )
    raise errors.BadInput(
        "a finished date in the folder stands on something else",
        count=len(changed),
        total=len({*then, *today}),
        unit="inputs",
        first=f"{file}: {changes}",
        hint=f"ask for what was asked then, pass another --out folder, or remove {file.parent} to begin anew",
    )


def _flat(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, part in nested.items():
        out |= _flat(part, f"{prefix}{name}.") if isinstance(part, Mapping) and part else {f"{prefix}{name}": part}
    return out
