"""The bundle on disk: JSON and LightGBM text, nothing executable, with the hash of every file in the manifest.

manifest.json   format, sha256 of every other file, origin of the bundle, library versions
model.json      features, closed-form parameters, linear models, weights, level, ranges, cuts, references
churn.txt       LightGBM trees (absent when the closed form stands alone)
value.txt       LightGBM trees (likewise)
scorecard.json  metrics of the holdout
"""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import json
import os
import pathlib
from typing import Any

import numpy as np

from tiercast.contract import errors, files, strict_json
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
    """Write the bundle and replace the one in `folder` by it. Raises `CannotWrite`; the old bundle then stays."""
    hint = "check the permissions and the space left, or choose another --bundle folder"
    with files.replace_folder(folder, subject="the bundle", hint=hint) as new:
        _refuse_foreign(folder)
        _write(bundle, new)


def digest(bundle: Bundle) -> str:
    """A digest of the hashes of all files but the manifest: equal for equal models, wherever they lie."""
    return strict_json.digest(_hashes(_contents(bundle)))


def identity(bundle: Bundle) -> str:
    """A digest of the model and of its name, version, run and day: equal bundles give equal score files."""
    return strict_json.digest([_about(bundle), _hashes(_contents(bundle))])


def check(folder: pathlib.Path) -> None:
    """Refuse a place that a bundle cannot go to, before any work is done. Raises `CannotWrite`."""
    if not _is_open(folder):
        hint = "choose a --bundle folder in a place that this user may write to"
        raise errors.CannotWrite("the bundle's place cannot be written to", first=str(folder), hint=hint)


def _is_open(folder: pathlib.Path) -> bool:
    """Whether a folder can be made or replaced here; False if the place cannot be read."""
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


def _contents(bundle: Bundle) -> dict[str, bytes]:
    """The files but the manifest, by name."""
    trees = {"churn": bundle.churn.stack.trees, "value": bundle.value.stack.trees}
    texts = {TREES[key]: model.text for key, model in trees.items() if model is not None}
    texts |= {MODEL: _as_text(_to_json(bundle)), SCORECARD: _as_text(bundle.scorecard)}
    return {name: texts[name].encode() for name in sorted(texts)}


def _hashes(contents: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def _about(bundle: Bundle) -> dict[str, Any]:
    about = bundle.about
    return {**about._asdict(), "as_of": about.as_of.isoformat(), "reading": json.loads(about.reading or "{}")}


def _write(bundle: Bundle, folder: pathlib.Path) -> None:
    contents = _contents(bundle)
    versions = {name: importlib.metadata.version(name) for name in LIBRARIES}
    manifest = {"format": FORMAT, "about": _about(bundle), "libraries": versions, "files": _hashes(contents)}
    for name, content in {**contents, MANIFEST: _as_text(manifest).encode()}.items():
        (folder / name).write_bytes(content)


def _to_json(bundle: Bundle) -> dict[str, Any]:
    return {
        "features": bundle.spec.as_dict(),
        "orders": orders.as_dict(bundle.btyd.orders),
        "gamma_gamma": bundle.btyd.money._asdict(),
        "churn": {**_stack_to_json(bundle.churn.stack), "shift": bundle.churn.shift},
        "line": dict(bundle.line),
        "value": {**_stack_to_json(bundle.value.stack), "level": bundle.value.level},
        "intervals": _intervals_as_json(bundle.intervals),
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


def _intervals_as_json(model: Intervals) -> dict[str, Any]:
    """Tables become lists, calibration lines become objects."""
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
        about=About(**{**about, "as_of": dt.date.fromisoformat(about["as_of"]), "reading": _reading(about)}),
        spec=specs.from_dict(model["features"]),
        btyd=Btyd(orders.from_dict(model["orders"]), GammaGamma(**model["gamma_gamma"])),
        churn=ChurnModel(_stack_from_json(churn, folder / TREES["churn"]), churn["shift"]),
        line=model["line"],
        value=ValueModel(_stack_from_json(value, folder / TREES["value"]), value["level"]),
        intervals=_intervals(model["intervals"]),
        cuts=Cuts(**model["cuts"]),
        typical=model["typical"],
        reference={name: reference.from_json(data) for name, data in model["reference"].items()},
        scorecard=scorecard,
    )


def _reading(about: dict[str, Any]) -> str:
    """The options of reading as JSON; "" for a bundle that keeps none."""
    kept = about.get("reading", {})
    return json.dumps(kept, sort_keys=True, ensure_ascii=False) if kept else ""


def _trees(path: pathlib.Path, columns: list[str] | None) -> BoostedTrees | None:
    return BoostedTrees(path.read_text(encoding="utf-8"), tuple(columns)) if columns is not None else None


def _check_hashes(folder: pathlib.Path, hashes: dict[str, str]) -> None:
    listed = {**dict.fromkeys((MODEL, SCORECARD), ""), **hashes}  # these two must be there, listed or not
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
    return path.is_file() and files.sha256(path) == expected


def _refuse_foreign(folder: pathlib.Path) -> None:
    """Raises `CannotWrite` unless the place is empty or holds an older bundle: other files are never deleted."""
    if folder.exists() and (not folder.is_dir() or {path.name for path in folder.iterdir()} - _own_files(folder)):
        hint = "choose a new --bundle folder, or empty this one yourself"
        raise errors.CannotWrite("there is something else than a bundle in this place", first=str(folder), hint=hint)


def _own_files(folder: pathlib.Path) -> set[str]:
    """The manifest's own name and the names it lists; empty without a manifest of ours."""
    try:
        names = _json(folder / MANIFEST)["files"]
        return {MANIFEST, *names} if MODEL in names else set()
    except (errors.BundleRefused, KeyError, TypeError):
        return set()


def _as_text(data: Any) -> str:
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _json(path: pathlib.Path) -> dict[str, Any]:
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        hint = "pass --bundle the folder that `tiercast train --bundle` wrote"
        raise errors.BundleRefused(
            "there is no readable bundle", first=f"{path}: {files.reason(error)}", hint=hint
        ) from error
    if not isinstance(data, dict):
        hint = "train it again; a bundle is never edited by hand"
        raise errors.BundleRefused("the bundle's content does not fit", first=f"{path}: not an object", hint=hint)
    return data
