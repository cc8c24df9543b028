"""Where runs and models are kept, unless MLFLOW_TRACKING_URI says otherwise: one answer for training and serving."""

from __future__ import annotations

import os
import pathlib

VARIABLE = "MLFLOW_TRACKING_URI"
SQLITE = "sqlite:///"


def tracking_uri(root: pathlib.Path | None = None) -> str:
    """The address in the environment, else the database `mlruns/mlflow.db` below `root` (none: where we are).

    >>> import pathlib
    >>> tracking_uri(pathlib.Path("/project"))                                  # doctest: +SKIP
    'sqlite:////project/mlruns/mlflow.db'
    """
    folder = (root or pathlib.Path.cwd()).absolute()
    return os.environ.get(VARIABLE) or f"{SQLITE}{folder / 'mlruns' / 'mlflow.db'}"


def database(uri: str) -> pathlib.Path | None:
    """The file behind a SQLite address; None for a server.

    >>> database("sqlite:////project/mlruns/mlflow.db").as_posix(), database("http://127.0.0.1:5000")
    ('/project/mlruns/mlflow.db', None)
    """
    return pathlib.Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None
