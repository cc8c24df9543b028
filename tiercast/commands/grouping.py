"""Several commands share the same options: a frozen dataclass holds each group, and Typer sees its fields."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable, Iterator
from inspect import Parameter
from typing import Any


def expand(command: Callable[..., None]) -> Callable[..., None]:
    """The same command with one parameter per field where `command` takes a dataclass.

    Typer 0.29 builds its options from the signature and knows no groups. The order of options is that of the
    parameters, and inside a group that of the fields.
    """
    hints = typing.get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if dataclasses.is_dataclass(hint)}

    @functools.wraps(command)
    def expanded(**values: Any) -> None:
        built = {name: group(**{each: values.pop(each) for each in _names(group)}) for name, group in groups.items()}
        command(**values, **built)

    parameters = [each for old in inspect.signature(command).parameters.values() for each in _expanded(old, hints)]
    signature = inspect.Signature(parameters)
    setattr(expanded, "__signature__", signature)  # noqa: B010 - mypy knows no such attribute of a function
    expanded.__annotations__ = {each.name: each.annotation for each in parameters}
    return expanded


def _expanded(old: Parameter, hints: dict[str, Any]) -> Iterator[Parameter]:
    hint = hints[old.name]
    if not dataclasses.is_dataclass(hint):
        yield old.replace(kind=Parameter.KEYWORD_ONLY, annotation=hint)
        return
    field_hints = typing.get_type_hints(hint, include_extras=True)
    for field in dataclasses.fields(hint):
        default = Parameter.empty if field.default is dataclasses.MISSING else field.default
        yield Parameter(field.name, Parameter.KEYWORD_ONLY, default=default, annotation=field_hints[field.name])


def _names(group: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(group)]
