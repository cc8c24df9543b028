"""One term per idea: names use the words of CONTRIBUTING's table, and no two classes of a package share a name."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.repo import allowed_words, tree

PLACES = (*tree.PACKAGES, "benchmarks", "examples", "tests")
ROW = re.compile(r"^\| (?P<term>[^|]+?) \| [^|]+ \| (?P<banned>(?:\*\w+\*(?:, )?)+) \|$", re.MULTILINE)
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


class Name(NamedTuple):
    """A name that a source defines, and the kind of thing it names."""

    kind: str
    text: str


@cache
def banned() -> frozenset[str]:
    """The words of the last column of CONTRIBUTING's table."""
    page = (tree.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return frozenset(word for row in ROW.finditer(page) for word in re.findall(r"\w+", row["banned"]))


def words(name: str) -> set[str]:
    """The parts of a name in snake_case or CamelCase, in lower case."""
    return {part.lower() for part in PART.findall(name)}


def defined(source: str) -> Iterator[Name]:
    """The classes, functions and parameters that a source defines."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            yield Name("class", node.name)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Name("function", node.name)
            yield from (Name("parameter", each.arg) for each in parameters(node.args))


def parameters(arguments: ast.arguments) -> list[ast.arg]:
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return named + [each for each in (arguments.vararg, arguments.kwarg) if each is not None]


def names(path: Path) -> Iterator[Name]:
    """What a file names: itself, its folder, and what it defines. A test's name is a sentence, not a term."""
    yield from (Name("module", part) for part in path.relative_to(tree.ROOT).with_suffix("").parts)
    for name in defined(path.read_text(encoding="utf-8")):
        if not name.text.startswith("test_"):
            yield name


def is_banned(name: Name) -> bool:
    return bool(words(name.text) & banned()) or name in {Name("function", "of"), Name("class", "Found")}


def offences(place: str) -> dict[str, str]:
    """The banned names of a top-level folder, each with one file that uses it."""
    return {name.text: tree.name(path) for path in tree.modules(place) for name in names(path) if is_banned(name)}


def classes_of_one_name(package: str) -> set[str]:
    sources = [path.read_text(encoding="utf-8") for path in tree.modules(package)]
    classes = Counter(name.text for source in sources for name in defined(source) if name.kind == "class")
    return {name for name, count in classes.items() if count > 1}


@pytest.mark.parametrize("place", PLACES)
def test_no_name_uses_a_banned_word_or_is_called_of(place: str) -> None:
    found = offences(place)
    assert not {name: path for name, path in found.items() if name not in allowed_words.NAMES.get(place, ())}


@pytest.mark.parametrize("package", tree.PACKAGES)
def test_no_two_classes_of_a_package_share_a_name(package: str) -> None:
    assert not classes_of_one_name(package) - allowed_words.CLASSES.get(package, set())


def test_the_table_of_words_is_read() -> None:
    assert {"told", "door", "twins", "arrivals", "pulse"} <= banned()
    assert not {"response", "handler", "batch", "duplicate"} & banned()


def test_names_are_compared_word_by_word() -> None:
    assert words("_refuse_twins") == {"refuse", "twins"}
    assert words("HTTPDoor2") == {"http", "door"}
    assert "told" not in words("stolden")


def test_every_kind_of_name_is_seen() -> None:
    source = "class Desk:\n    async def tell(self, *asked, keeper, **door): ...\n"
    assert {name.text for name in defined(source)} == {"Desk", "tell", "self", "asked", "keeper", "door"}
