"""The bundle on disk: JSON and LightGBM text, nothing that can run, every file's hash in the manifest.

manifest.json   format, sha256 of every other file, where the bundle comes from, library versions
model.json      features, closed-form parameters, linear models, weights, level, ranges, cuts, references
churn.txt       LightGBM trees (absent when the closed form stands alone)
value.txt       LightGBM trees (likewise)
scorecard.json  what the holdout said
"""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import json
import os
import pathlib
import tempfile
from typing import Any

import numpy as np

from tiercast.contract import errors
from tiercast.features import spec as specs
from tiercast.models import orders, reference
from tiercast.models.btyd import Btyd
from tiercast.models.bundle import FORMAT, About, Bundle
from tiercast.models.calibration import Calibration
from tiercast.models.churn import ChurnModel
from tiercast.models.gamma_gamma import GammaGamma
from tiercast.models.intervals import Intervals
from tiercast.models.linear import LinearModel
from tiercast.models.stack import Stack
from tiercast.models.trees.boosted import BoostedTrees
from tiercast.models.value import ValueModel
from tiercast.tiers.grid import Cuts

MANIFEST, MODEL, SCORECARD = "manifest.json", "model.json", "scorecard.json"
TREES = {"churn": "churn.txt", "value": "value.txt"}
TABLES, LINES = ("edges", "ratios"), ("brings", "high", "kept_if_high")
LIBRARIES = ("tiercast", "lightgbm", "numpy", "scipy", "duckdb", "ibis-framework")


def save(bundle: Bundle, folder: pathlib.Path) -> None:
    """Write the bundle beside `folder` and move it into place: there is an old bundle or a new one, never half.

    Raises `CannotWrite`; what was there before stays.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
            fresh, old = pathlib.Path(scratch, "new"), pathlib.Path(scratch, "old")
            _write(bundle, fresh)
            _refuse_foreign(folder)
            _exchange(folder, fresh, old)
    except OSError as error:
        hint = "check the permissions and the space left, or choose another --bundle folder"
        raise errors.CannotWrite(
            f"the bundle cannot be written: {error.strerror}", first=str(folder), hint=hint
        ) from error


def identity(bundle: Bundle) -> str:
    """A short text that is the same for bundles that give the same scores, wherever they lie."""
    trees = [model.stack.trees and model.stack.trees.text for model in (bundle.churn, bundle.value)]
    about = {**bundle.about._asdict(), "as_of": bundle.about.as_of.isoformat()}
    return hashlib.sha256(json.dumps([about, _to_json(bundle), trees], sort_keys=True).encode()).hexdigest()


def _exchange(folder: pathlib.Path, fresh: pathlib.Path, old: pathlib.Path) -> None:
    """The fresh bundle takes the place of the old one, which comes back if that fails."""
    if folder.exists():
        folder.replace(old)
    try:
        fresh.replace(folder)
    except OSError:
        if old.exists():
            old.replace(folder)
        raise


def check(folder: pathlib.Path) -> None:
    """Refuse a place that a bundle cannot go to, before any work is done. Raises `CannotWrite`."""
    if not _is_open(folder):
        hint = "choose a --bundle folder in a place that this user may write to"
        raise errors.CannotWrite("the bundle's place cannot be written to", first=str(folder), hint=hint)


def _is_open(folder: pathlib.Path) -> bool:
    """Whether a folder can be made or replaced here; a place that cannot even be looked at is none."""
    try:
        _refuse_foreign(folder)
        parent = next(parent for parent in folder.absolute().parents if parent.exists())
        return parent.is_dir() and os.access(parent, os.W_OK)
    except OSError:
        return False


def load(folder: pathlib.Path) -> Bundle:
    """The bundle, after its hashes and format are checked. Raises `BundleRefused`."""
    manifest = _json(folder / MANIFEST)
    if manifest.get("format") != FORMAT:
        what = f"the bundle has format {manifest.get('format')!r}, this version reads {FORMAT}"
        raise errors.BundleRefused(what, first=str(folder), hint="train it again, or install the version that wrote it")
    try:
        _check_hashes(folder, manifest["files"])
        return _from_json(manifest["about"], _json(folder / MODEL), _json(folder / SCORECARD), folder)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise errors.BundleRefused(
            "the bundle's content does not fit", first=repr(error), hint="train it again"
        ) from error


def packed(folder: pathlib.Path) -> dict[str, bytes]:
    """The bundle's files by name, as bytes to be sent to another machine and loaded there. Raises `BundleRefused`."""
    load(folder)
    return {name: (folder / name).read_bytes() for name in sorted(_own_files(folder))}


def _write(bundle: Bundle, folder: pathlib.Path) -> None:
    folder.mkdir()
    for key, trees in (("churn", bundle.churn.stack.trees), ("value", bundle.value.stack.trees)):
        if trees is not None:
            (folder / TREES[key]).write_text(trees.text, encoding="utf-8")
    _put(folder / MODEL, _to_json(bundle))
    _put(folder / SCORECARD, bundle.scorecard)
    files = {path.name: _sha256(path) for path in sorted(folder.iterdir())}
    about = {**bundle.about._asdict(), "as_of": bundle.about.as_of.isoformat()}
    versions = {name: importlib.metadata.version(name) for name in LIBRARIES}
    _put(folder / MANIFEST, {"format": FORMAT, "about": about, "libraries": versions, "files": files})


def _to_json(bundle: Bundle) -> dict[str, Any]:
    return {
        "features": bundle.spec.as_dict(),
        "orders": orders.as_dict(bundle.btyd.orders),
        "gamma_gamma": bundle.btyd.money._asdict(),
        "churn": {**_stack_to_json(bundle.churn.stack), "shift": bundle.churn.shift},
        "centre": bundle.centre,
        "value": {**_stack_to_json(bundle.value.stack), "level": bundle.value.level},
        "intervals": _sure(bundle.intervals),
        "cuts": bundle.cuts._asdict(),
        "typical": dict(bundle.typical),
        "reference": {name: each._asdict() for name, each in bundle.reference.items()},
    }


def _stack_to_json(model: Stack) -> dict[str, Any]:
    """All but the trees, which are a file of their own."""
    return {
        "days": model.days,
        "weights": list(model.weights),
        "linear": model.linear and model.linear._asdict(),
        "columns": list(model.trees.names) if model.trees else None,
    }


def _stack_from_json(data: dict[str, Any], trees: pathlib.Path) -> Stack:
    closed, linear, tree = data["weights"]
    line = data["linear"] and _linear_from_json(data["linear"])
    return Stack(data["days"], line, _trees(trees, data["columns"]), (closed, linear, tree))


def _linear_from_json(data: dict[str, Any]) -> LinearModel:
    names, *numbers = (tuple(data[name]) for name in ("names", "means", "scales", "coefficients"))
    means, scales, coefficients = numbers
    return LinearModel(names, means, scales, coefficients, data["intercept"])


def _sure(model: Intervals) -> dict[str, Any]:
    """Tables as lists, lines as objects."""
    tables = {name: getattr(model, name).tolist() for name in TABLES}
    lines = {name: getattr(model, name) for name in LINES}
    return {**tables, **{name: line and line._asdict() for name, line in lines.items()}}


def _intervals(data: dict[str, Any]) -> Intervals:
    parts: dict[str, Any] = {name: np.array(data[name], dtype=np.float64) for name in TABLES}
    parts |= {name: data[name] and Calibration(**data[name]) for name in LINES}
    return Intervals(**parts)


def _from_json(about: dict[str, Any], model: dict[str, Any], scorecard: dict[str, Any], folder: pathlib.Path) -> Bundle:
    churn, value = model["churn"], model["value"]
    return Bundle(
        about=About(**{**about, "as_of": dt.date.fromisoformat(about["as_of"])}),
        spec=specs.from_dict(model["features"]),
        btyd=Btyd(orders.from_dict(model["orders"]), GammaGamma(**model["gamma_gamma"])),
        churn=ChurnModel(_stack_from_json(churn, folder / TREES["churn"]), churn["shift"]),
        centre=model["centre"],
        value=ValueModel(_stack_from_json(value, folder / TREES["value"]), value["level"]),
        intervals=_intervals(model["intervals"]),
        cuts=Cuts(**model["cuts"]),
        typical=model["typical"],
        reference={name: reference.from_json(data) for name, data in model["reference"].items()},
        scorecard=scorecard,
    )


def _trees(path: pathlib.Path, columns: list[str] | None) -> BoostedTrees | None:
    return BoostedTrees(path.read_text(encoding="utf-8"), tuple(columns)) if columns is not None else None


def _check_hashes(folder: pathlib.Path, files: dict[str, str]) -> None:
    listed = {**dict.fromkeys((MODEL, SCORECARD), ""), **files}  # these two must be there, listed or not
    wrong = [name for name, expected in listed.items() if not _is_intact(folder / name, expected)]
    if wrong:
        raise errors.BundleRefused(
            "the file is missing or not what the manifest says",
            count=len(wrong),
            total=len(listed),
            unit="files",
            first=str(folder / wrong[0]),
            hint="fetch the bundle again from where it was trained; a bundle is never edited by hand",
        )


def _is_intact(path: pathlib.Path, expected: str) -> bool:
    return path.is_file() and _sha256(path) == expected


def _refuse_foreign(folder: pathlib.Path) -> None:
    """Only an empty place or an older bundle may be replaced: never somebody's other files."""
    if folder.exists() and (not folder.is_dir() or {path.name for path in folder.iterdir()} - _own_files(folder)):
        hint = "choose a new --bundle folder, or empty this one yourself"
        raise errors.CannotWrite("there is something else than a bundle in this place", first=str(folder), hint=hint)


def _own_files(folder: pathlib.Path) -> set[str]:
    """The names that a bundle's manifest lists, and its own; empty for another program's manifest.json, or none."""
    try:
        files = _json(folder / MANIFEST)["files"]
        return {MANIFEST, *files} if MODEL in files else set()
    except (errors.BundleRefused, KeyError, TypeError):
        return set()


def _sha256(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _put(path: pathlib.Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def _json(path: pathlib.Path) -> dict[str, Any]:
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        hint = "pass --bundle the folder that `tiercast train --bundle` wrote"
        raise errors.BundleRefused("there is no readable bundle", first=f"{path}: {error}", hint=hint) from error
    if not isinstance(data, dict):
        hint = "train it again; a bundle is never edited by hand"
        raise errors.BundleRefused("the bundle's content does not fit", first=f"{path}: not an object", hint=hint)
    return data
