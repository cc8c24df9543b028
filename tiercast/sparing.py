"""Starting `tiercast score` without what scoring does not need: half a second and more, whatever the base.

Libraries import far more than they are asked for. pyarrow and Ibis look for pandas, in case they meet a data frame;
here there is none. `scipy.special` copies NumPy's whole namespace, its tests and f2py included, for array libraries
other than NumPy, while the functions themselves stand in one compiled module. And Python's collector walks through all
that is being imported, again and again, where everything stays.

Only the command line asks for this, in a process of its own that scores with DuckDB. Where Tiercast is imported into
another program, nothing is left out.
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

PANDAS, SPECIAL, FUNCTIONS = "pandas", "scipy.special", "scipy.special._ufuncs"
WITH_PANDAS = ("--engine", "--model")  # Spark and MLflow bring it
NEW_OBJECTS = 50_000  # between two collections, of which Python's own number is 700


def start(arguments: Sequence[str]) -> None:
    """Leave out what a process with these arguments does not need."""
    if is_scoring(arguments):
        gc.set_threshold(NEW_OBJECTS)
        sys.meta_path.insert(0, Sparing())


def is_scoring(arguments: Sequence[str]) -> bool:
    """Whether this is `score` with a bundle from a folder, on DuckDB.

    >>> is_scoring(["score", "orders.parquet", "--bundle", "out/bundle"])
    True
    >>> is_scoring(["score", "orders.parquet", "--model=champion"]), is_scoring(["check", "orders.parquet"])
    (False, False)
    """
    return arguments[:1] == ["score"] and not any(given.startswith(WITH_PANDAS) for given in arguments)


class Sparing(MetaPathFinder, Loader):
    """Says that there is no pandas, and loads SciPy's special functions without the package around them."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == PANDAS:
            raise ModuleNotFoundError("scoring does without pandas", name=PANDAS)
        whole = PathFinder.find_spec(fullname, path) if fullname == SPECIAL else None
        if whole is None or whole.loader is None:
            return None
        spec = ModuleSpec(fullname, self, origin=whole.origin, loader_state=whole.loader, is_package=True)
        spec.submodule_search_locations = whole.submodule_search_locations
        return spec

    def exec_module(self, module: ModuleType) -> None:
        """The compiled functions; whoever asks for anything else gets the whole package, in the same place."""
        spec = module.__spec__
        assert spec is not None  # noqa: S101  the import system gave it

        def rest(name: str) -> object:
            if name.startswith("__"):
                raise AttributeError(name)
            del vars(module)["__getattr__"]
            spec.loader_state.exec_module(module)
            return getattr(module, name)

        vars(module)["__getattr__"] = rest
        functions = vars(importlib.import_module(FUNCTIONS))
        vars(module).update({name: each for name, each in functions.items() if not name.startswith("_")})
