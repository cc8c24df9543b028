"""Presets: ready ways to read the exports of shop systems, as TOML files beside this module.

>>> [preset.name for preset in load("auto")]
['magento', 'olist', 'olist-merged', 'shopify', 'square', 'stripe', 'woocommerce', 'woocommerce-lines']
>>> recognise(load("auto"), ["Name", "Email", "Financial Status", "Created at", "Total"], "orders.csv").name
'shopify'
"""

from __future__ import annotations

import difflib
import pathlib
import shlex
import tomllib
from collections.abc import Collection, Sequence
from importlib import resources

from tiercast.contract import addresses, errors
from tiercast.features.reading.presets import preset as definitions
from tiercast.features.reading.presets.preset import Preset

__all__ = ["Preset", "load", "propose", "recognise"]

AUTO, ENDING = "auto", ".toml"


def load(given: str) -> tuple[Preset, ...]:
    """The preset of a name or a TOML file; all shipped ones for `auto`, to be recognised. Raises `BadInput`."""
    if given == AUTO:
        return tuple(_shipped(name) for name in _names())
    if given.endswith(ENDING):
        return (_own(pathlib.Path(given)),)
    if given not in _names():
        near = difflib.get_close_matches(given.lower(), _names(), n=1, cutoff=0.4)
        hint = f"one of {', '.join((*_names(), AUTO))}, or a file that ends in .toml"
        raise errors.BadInput(
            "there is no such preset" + (f"; nearest: {near[0]!r}" if near else ""), first=f"--from {given}", hint=hint
        )
    return (_shipped(given),)


def recognise(candidates: Sequence[Preset], names: Collection[str], source: str) -> Preset:
    """The preset that knows most columns of the file, with the names that the file uses. Raises `BadInput`."""
    fitting = [preset.called_as(names) for preset in candidates if preset.fits(names)]
    if fitting:
        return max(fitting, key=lambda preset: len(set(preset.used) & set(names)))
    if len(candidates) > 1:
        what, hint = "no preset knows this header", "name columns: --column customer_id=NAME ..., or write a preset"
    else:
        (one,) = candidates
        missing = [name for name in one.recognised_by if name not in names]
        what = f"this is no file of the preset {one.name!r}: it has no column {', '.join(map(repr, missing))}"
        hint = f"export it again ({one.about}), or name columns: --column customer_id=NAME"
    shown = ", ".join(list(names)[:8])
    raise errors.MissingColumn(what, first=f"{addresses.redact(source)}: {shown}", hint=hint)


def propose(names: Collection[str]) -> str | None:
    """The option that reads a file with these columns, or None."""
    fitting = [preset for preset in load(AUTO) if preset.fits(names)]
    return f"--from {shlex.quote(recognise(fitting, names, '').name)}" if fitting else None


def _names() -> list[str]:
    files = resources.files("tiercast.features.reading.presets").iterdir()
    return sorted(file.name.removesuffix(ENDING) for file in files if file.name.endswith(ENDING))


def _shipped(name: str) -> Preset:
    file = resources.files("tiercast.features.reading.presets").joinpath(name + ENDING)
    return definitions.parse(tomllib.loads(file.read_text(encoding="utf-8")), name + ENDING)


def _own(path: pathlib.Path) -> Preset:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise errors.BadInput("the preset cannot be read", first=f"{path}: {reason}", hint=definitions.DOCS) from None
    return definitions.parse({"name": path.stem, "about": str(path.name)} | content, str(path))
