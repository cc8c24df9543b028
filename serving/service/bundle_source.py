"""Which bundle a service answers with: TIERCAST_BUNDLE, a folder, or TIERCAST_MODEL, an alias or version to fetch."""

from __future__ import annotations

import os
import pathlib
import tempfile

from contract import errors

FOLDER, MODEL = "TIERCAST_BUNDLE", "TIERCAST_MODEL"


def find() -> pathlib.Path:
    """The folder. A fetched one is then named in TIERCAST_BUNDLE, so that all workers answer with the same version.

    Raises `BadInput`.
    """
    if os.environ.get(FOLDER):
        return pathlib.Path(os.environ[FOLDER])
    wanted = os.environ.get(MODEL)
    if not wanted:
        hint = f"set {FOLDER} to the folder that `tiercast train --bundle` wrote, or {MODEL} to champion"
        raise errors.BadInput("nothing says which bundle to serve", first=f"{FOLDER} is not set", hint=hint)
    from serving import registry

    folder = registry.fetch(wanted, pathlib.Path(tempfile.mkdtemp(prefix="tiercast-bundle-")))
    os.environ[FOLDER] = str(folder)
    return folder
