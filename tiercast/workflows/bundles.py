"""A bundle from a folder or from the model registry."""

from __future__ import annotations

import contextlib
import pathlib
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tiercast.contract.errors import BadInput

if TYPE_CHECKING:
    from tiercast.models.bundle import Bundle


def require_one(bundle: pathlib.Path | None, model: str | None) -> None:
    """Raises BadInput unless exactly one of the two is given."""
    if (bundle is None) == (model is None):
        first = "both --bundle and --model" if bundle else "neither --bundle nor --model"
        raise BadInput("which model is not clear", first=first, hint="pass --bundle DIR, or --model champion")


def load(bundle: pathlib.Path | None, model: str | None) -> Bundle:
    """The bundle in memory. Raises BadInput when both or neither are given."""
    from tiercast.models import bundle_folder

    with folder(bundle, model) as path:
        return bundle_folder.load(path)


@contextlib.contextmanager
def folder(bundle: pathlib.Path | None, model: str | None) -> Iterator[pathlib.Path]:
    """The bundle's folder. A registered model is fetched into a folder that is deleted after the `with` block.

    Raises BadInput when both or neither are given.
    """
    require_one(bundle, model)
    if bundle is not None:
        yield bundle
        return
    from tiercast.serving import registry

    with tempfile.TemporaryDirectory(prefix="tiercast-") as path:
        yield registry.fetch(str(model), pathlib.Path(path))
