"""Starting `tiercast score` without what scoring does not need, and ending it at once: a second, whatever the base.

Libraries import more than they are asked for. pyarrow and Ibis look for pandas, in case they meet a data frame; here
there is none. `scipy.special` copies NumPy's whole namespace, its tests and f2py included, for array libraries other
than NumPy, while the functions themselves stand in one compiled module. Ibis loads the SQL of twenty databases for one.

And when Python ends, it frees what was ever loaded piece by piece.

Only the command line asks for this, in a process of its own; libraries are left out where it scores with DuckDB. Where
Tiercast is imported into another program, nothing is left out.
"""

from __future__ import annotations

import atexit
import importlib
import os
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

PANDAS = "pandas"
WITH_PANDAS = ("--engine", "--model")  # Spark and MLflow bring it
ONLY = {"scipy.special": "_ufuncs", "ibis.backends.sql.compilers": "duckdb"}  # packages, and what is needed of them


def start(arguments: Sequence[str]) -> None:
    """Leave out what a process with these arguments does not need."""
    if is_scoring(arguments):
        sys.meta_path.insert(0, Sparing())


def end(arguments: Sequence[str], code: object) -> None:
    """End the process here, if it scored, once what was registered for its end has run and all is said.

    The memory goes back as a whole instead of object by object. It comes back where Python should end by itself.
    """
    if not is_scoring(arguments) or not isinstance(code, int | None):
        return
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # nobody listens any more: Python has its own way of saying so
        return
    os._exit(code or 0)


def is_scoring(arguments: Sequence[str]) -> bool:
    """Whether this is `score` with a bundle from a folder, on DuckDB.

    >>> is_scoring(["score", "orders.parquet", "--bundle", "out/bundle"])
    True
    >>> is_scoring(["score", "orders.parquet", "--model=champion"]), is_scoring(["check", "orders.parquet"])
    (False, False)
    """
    return arguments[:1] == ["score"] and not any(given.startswith(WITH_PANDAS) for given in arguments)


class Sparing(MetaPathFinder, Loader):
    """Says that there is no pandas, and loads one module of a package without the package around it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == PANDAS:
            raise ModuleNotFoundError("scoring does without pandas", name=PANDAS)
        whole = PathFinder.find_spec(fullname, path) if fullname in ONLY else None
        if whole is None or whole.loader is None:
            return None
        spec = ModuleSpec(fullname, self, origin=whole.origin, loader_state=whole.loader, is_package=True)
        spec.submodule_search_locations = whole.submodule_search_locations
        return spec

    def exec_module(self, module: ModuleType) -> None:
        """The needed module's names; whoever asks for another one gets the whole package, in the same place."""
        name = module.__name__
        whole: Any = getattr(module.__spec__, "loader_state", None)

        def rest(wanted: str) -> object:
            if wanted.startswith("__"):
                raise AttributeError(wanted)
            del vars(module)["__getattr__"]
            whole.exec_module(module)
            return getattr(module, wanted)

        vars(module)["__getattr__"] = rest
        found = vars(importlib.import_module(f"{name}.{ONLY[name]}"))
        vars(module).update({key: each for key, each in found.items() if not key.startswith("_")})
