"""What a search found, as the TOML that `train --config` reads."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

import tomlkit

from tiercast.contract import errors
from tiercast.training.settings import Settings

if TYPE_CHECKING:
    from tiercast.training.tuning.tune import Tuned


def check(out: pathlib.Path, config: pathlib.Path | None) -> None:
    """Refuse a target that cannot be written before any work is done. Raises `CannotWrite`."""
    if out.suffix != ".toml":
        raise errors.CannotWrite("settings are written as TOML", first=str(out), hint="pass --out tuned.toml")
    if config is not None and out.resolve() == config.resolve():
        hint = "pass another file with --out: what you wrote there, comments included, would be lost"
        raise errors.CannotWrite("the target is the configuration that is read", first=str(out), hint=hint)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        is_new = not out.exists()
        out.open("a", encoding="utf-8").close()
        if is_new:
            out.unlink()
    except OSError as error:
        raise _cannot(error, out) from error


def write(tuned: Tuned, out: pathlib.Path) -> None:
    """The settings to train with, and above them how they came about. Raises `CannotWrite`."""
    seen = f"on what was known before {tuned.known_until}; data {tuned.data}"
    lines = [f"tiercast tune for {tuned.as_of}, {seen}"]
    lines += [f"{found.model}: {found.verdict}" for found in tuned.found]
    try:
        out.write_text(text(tuned.settings, "\n".join(lines)), encoding="utf-8")
    except OSError as error:
        raise _cannot(error, out) from error


def _cannot(error: OSError, out: pathlib.Path) -> errors.CannotWrite:
    hint = "check permissions and disk space, or pass --out with a file elsewhere"
    return errors.CannotWrite(f"the settings cannot be written: {error.strerror}", first=str(out), hint=hint)


def text(settings: Settings, comment: str = "") -> str:
    """What differs from the defaults, and the horizons in any case; `settings.load` gives the same settings again.

    >>> print(text(Settings(churn_trees={"num_leaves": 4}), "tuned"), end="")
    # tuned
    <BLANKLINE>
    [churn_trees]
    num_leaves = 4
    <BLANKLINE>
    [horizons]
    churn_days = 90
    value_days = 365
    """
    document = tomlkit.document()
    for line in comment.splitlines():
        document.add(tomlkit.comment(line))
    if comment:
        document.add(tomlkit.nl())
    tables = settings.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    tables["horizons"] = settings.horizons.model_dump()
    document.update(dict(sorted(tables.items())))
    return tomlkit.dumps(document)
