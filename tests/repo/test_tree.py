"""The shape of the house: small modules, short functions, plain names."""

from __future__ import annotations

import ast
import statistics
import sys
from pathlib import Path
from typing import NamedTuple

from tests.repo import tree

VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "misc"}
CODE = (*tree.PACKAGES, "benchmarks", "examples")


class Function(NamedTuple):
    where: str
    lines: int


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement to the last; the signature and the docstring are not counted."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def functions(path: Path) -> list[Function]:
    found = [node for node in ast.walk(parse(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [Function(f"{tree.name(path)}:{node.lineno} {node.name}", body_lines(node)) for node in found]


def length(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_no_module_is_longer_than_300_lines() -> None:
    long = {tree.name(path): length(path) for path in tree.modules() if length(path) > 300}
    assert not long


def test_half_the_modules_of_every_package_together_have_at_most_120_lines() -> None:
    assert statistics.median(length(path) for path in tree.modules(*tree.PACKAGES)) <= 120


def test_no_function_body_is_longer_than_40_lines() -> None:
    long = [function for path in tree.modules(*CODE) for function in functions(path) if function.lines > 40]
    assert not long


def test_nine_of_ten_function_bodies_have_at_most_20_lines_and_half_at_most_8() -> None:
    lines = sorted(function.lines for path in tree.modules(*CODE) for function in functions(path))
    assert sum(count <= 20 for count in lines) >= 0.9 * len(lines)
    assert statistics.median(lines) <= 8


def test_body_lines_leave_out_the_signature_and_the_docstring() -> None:
    source = 'def f(\n    a: int,\n) -> int:\n    """One.\n\n    Two.\n    """\n    b = a\n\n    return b\n'
    (node,) = ast.parse(source).body
    assert isinstance(node, ast.FunctionDef)
    assert body_lines(node) == 3  # b = a, an empty line, return b


def test_no_name_is_vague() -> None:
    paths = tree.modules()
    named = [tree.name(path) for path in paths if {path.stem, *path.relative_to(tree.ROOT).parts[:-1]} & VAGUE]
    assert not named


def test_no_module_is_named_like_the_standard_library() -> None:
    like = [tree.name(path) for path in tree.modules(*CODE) if path.stem in sys.stdlib_module_names]
    assert not like


def test_every_module_says_what_it_is() -> None:
    silent = [tree.name(path) for path in tree.modules(*CODE) if not (ast.get_docstring(parse(path)) or "").strip()]
    assert not silent


def test_every_package_has_its_sentence() -> None:
    for package in tree.PACKAGES:
        assert ast.get_docstring(parse(tree.ROOT / package / "__init__.py")), package
