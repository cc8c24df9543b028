"""Addresses: the MLflow store in use, and any address without its secrets for logs and messages."""

from __future__ import annotations

import os
import pathlib
import urllib.parse

VARIABLE = "MLFLOW_TRACKING_URI"
SQLITE = "sqlite:///"


def tracking_uri(root: pathlib.Path | None = None) -> str:
    """MLFLOW_TRACKING_URI, else the address of `mlruns/mlflow.db` below `root` (default: the working directory).

    >>> import pathlib
    >>> tracking_uri(pathlib.Path("/project"))                                  # doctest: +SKIP
    'sqlite:////project/mlruns/mlflow.db'
    """
    folder = (root or pathlib.Path.cwd()).absolute()
    return os.environ.get(VARIABLE) or f"{SQLITE}{folder / 'mlruns' / 'mlflow.db'}"


def sqlite_file(uri: str) -> pathlib.Path | None:
    """The file behind a SQLite address; None for a server.

    >>> sqlite_file("sqlite:////project/mlruns/mlflow.db").as_posix(), sqlite_file("http://127.0.0.1:5000")
    ('/project/mlruns/mlflow.db', None)
    """
    return pathlib.Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def redact(address: str) -> str:
    """An address without user, password and options, safe for logs; a path is unchanged.

    >>> redact("postgresql://tier:secret@db.example/shop?table=sales.orders&sslpassword=secret")
    'postgresql://db.example/shop?table=sales.orders'
    >>> redact("data/orders.parquet")
    'data/orders.parquet'
    """
    if "://" not in address:
        return address
    parts = urllib.parse.urlsplit(address)
    tables = [value for name, value in urllib.parse.parse_qsl(parts.query) if name == "table"]
    query = f"?table={tables[0]}" if tables else ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{query}"
