"""Settings in a TOML file: read it, and refuse it with the place of the first setting that is not allowed."""

from __future__ import annotations

import pathlib
import tomllib
from typing import Any

import pydantic

from tiercast.contract import errors, files


def read(path: pathlib.Path, *, subject: str, hint: str) -> dict[str, Any]:
    """The file's content. Raises `BadInput` where there is no such file, or where it is not TOML in UTF-8."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        first = f"{path}: {files.reason(error)}"
        raise errors.BadInput(f"{subject} cannot be read", first=first, hint=hint) from None


def refusal(error: pydantic.ValidationError, *, hint: str, prefix: str = "") -> errors.BadInput:
    """The error for settings that pydantic refuses. `prefix` stands before the place; no value is quoted."""
    details = error.errors(include_url=False, include_input=False)
    place = ".".join(str(part) for part in details[0]["loc"] if part != "[key]")
    message = details[0]["msg"].lower().removeprefix("value error, ").replace("extra inputs are", "an unknown key is")
    first = f"{prefix}{place}: {message}"
    return errors.BadInput("settings are not allowed", count=len(details), unit="settings", first=first, hint=hint)
