"""Nothing that can execute goes into a bundle or comes out of one."""

from __future__ import annotations

import ast

import pytest

from tests.repo import tree

EXECUTABLE = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "skops"}
CALLS = {"eval", "exec", "compile", "__import__"}


def imported(source: str) -> set[str]:
    """The top-level names of everything a source imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def called(source: str) -> set[str]:
    """The plain names that a source calls."""
    nodes = ast.walk(ast.parse(source))
    return {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}


def pickling_calls(source: str) -> set[str]:
    """Methods and arguments of pandas and NumPy that pickle without importing it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in {"to_pickle", "read_pickle"}:
            found.add(node.attr)
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            found |= {"allow_pickle"} - ({"allow_pickle"} if is_false(node.value) else set())
    return found


def is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


@pytest.mark.parametrize("package", tree.PACKAGES)
def test_no_package_imports_what_can_execute_a_file(package: str) -> None:
    for path in tree.modules(package):
        assert not imported(path.read_text(encoding="utf-8")) & EXECUTABLE, tree.name(path)


@pytest.mark.parametrize("package", tree.PACKAGES)
def test_no_package_runs_text_or_pickles_indirectly(package: str) -> None:
    for path in tree.modules(package):
        source = path.read_text(encoding="utf-8")
        assert not called(source) & CALLS, tree.name(path)
        assert not pickling_calls(source), tree.name(path)


def test_the_search_finds_an_import_inside_a_function() -> None:
    assert imported("def load(path):\n    from joblib import load\n    import pickle as p\n") == {"joblib", "pickle"}


def test_the_search_finds_indirect_pickling() -> None:
    assert pickling_calls("frame.to_pickle(p)\nnp.load(p, allow_pickle=True)") == {"to_pickle", "allow_pickle"}
    assert not pickling_calls("np.load(p, allow_pickle=False)")
