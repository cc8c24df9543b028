"""What the pages show is what the code says: the grid's shape (not its numbers), every setting with its default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from tests.repo import tree
from tiercast.terminal.grid import print_grid
from tiercast.tiers import grid
from tiercast.tiers.grid import TierSummary
from tiercast.training import settings
from tiercast.training.search_space import Range

FENCE = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"(?<=\s)[-+]?[\d,]*\.?\d+%?(?=\s|$)|(?<=\s)–(?=\s|$)", re.MULTILINE)


def page(name: str) -> str:
    return (tree.ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, start: str) -> list[str]:
    return [found["text"] for found in FENCE.finditer(page(name)) if found["text"].startswith(start)]


def shape(text: str) -> list[str]:
    """The lines of a table without its numbers, rulers and spacing."""
    bare = (" ".join(NUMBER.sub("", line).replace("─", "").split()) for line in text.splitlines())
    return [line for line in bare if line]


def test_the_first_grid_of_the_readme_is_drawn_as_the_command_draws_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_grid([TierSummary(tier, 970, 0.041, 183_692.0, 189.0, 0.299, 42_191.0) for tier in grid.TIERS], "USD")
    shown, *_ = blocks("README.md", "Loyalty × value")
    assert shape(shown) == shape(capsys.readouterr().out)


def keys(model: BaseModel, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting by its dotted name, with its default; a range is one setting."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        is_section = isinstance(value, BaseModel) and not isinstance(value, Range)
        yield from keys(value, f"{before}{name}.") if is_section else [(f"{before}{name}", value)]


def written(default: Any) -> str:
    if isinstance(default, tuple):
        return ", ".join(map(str, default))
    return {"None": "none", "": '""', "{}": "empty"}.get(str(default), str(default))


def test_every_setting_is_documented_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `([a-z0-9_.]+)` \| ([^|]+?) \|", page("docs/data.md"), flags=re.MULTILINE))
    assert {name: rows.get(name) for name, _ in keys(settings.Settings())} == {
        name: written(default) for name, default in keys(settings.Settings())
    }


def test_the_configuration_that_the_page_shows_is_accepted(tmp_path: Path) -> None:
    (example,) = blocks("docs/data.md", "[horizons]")
    file = tmp_path / "tiercast.toml"
    file.write_text(example, encoding="utf-8")
    assert settings.load(file, {}) != settings.Settings()
