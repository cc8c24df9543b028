"""Files in other places, copied here: `https://…`, `s3://bucket/orders.parquet`, `gs://bucket/folder/`.

Objects of S3 and Google Cloud are fetched by PyArrow with the credentials that their own programs use (environment,
profile, instance). `http://` is read from this machine only: on the way from another one, anybody could change rows.
"""

from __future__ import annotations

import ipaddress
import pathlib
import re
import shutil
import urllib.parse
import urllib.request
from typing import Any

from tiercast.contract import addresses, errors
from tiercast.features.reading.copies import typed_rows

WEB = ("https://", "http://")
STORES = ("s3://", "gs://")
CHUNK = 1 << 20
TIMEOUT_SECONDS = 60.0
MOST_REDIRECTS = 5
MOST_SIGNS = 300
RETRIES = "retry_limit_seconds=20"
CONNECTION = re.compile(r"^\w+\([^)]*\): ")  # HTTPSConnection(host=..., port=...):
OK, REDIRECTS = 200, (301, 302, 303, 307, 308)


def is_one(source: str) -> bool:
    """Is this an address to fetch files from?"""
    return source.startswith((*WEB, *STORES))


def fetch(source: str, folder: pathlib.Path) -> str:
    """Copy the file, or all Parquet files below a folder of a store, into `folder`; the path of the copy.

    Raises `SourceUnreadable` and `CannotWrite`.
    """
    folder.mkdir(exist_ok=True)
    fetched = _from_web if source.startswith(WEB) else _from_store
    return fetched(source, folder)


def _from_web(source: str, folder: pathlib.Path, redirects: int = 0) -> str:
    import urllib3

    _refuse_open_way(source)
    name = pathlib.PurePosixPath(urllib.parse.unquote(urllib.parse.urlsplit(source).path)).name or "table"
    try:
        with _pool(source).request(
            "GET", source, preload_content=False, redirect=False, timeout=TIMEOUT_SECONDS
        ) as got:
            if got.status in REDIRECTS and redirects < MOST_REDIRECTS:
                there = urllib.parse.urljoin(source, got.headers.get("location", ""))
                return _from_web(there, folder, redirects + 1)
            if got.status != OK:
                hint = "open the address in a browser: it may need a login, or be old"
                raise _unreadable(source, f"the server responds {got.status} {got.reason or ''}".strip(), hint)
            return _write(got, folder / name)
    except urllib3.exceptions.HTTPError as error:
        raise _unreadable(
            source, f"the file cannot be fetched: {_reason(error)}", "try again, or fetch it by hand"
        ) from None


def _refuse_open_way(source: str) -> None:
    if source.startswith("http://") and not _is_here(urllib.parse.urlsplit(source).hostname or ""):
        raise _unreadable(source, "http:// is read from this machine only", "use https://, or fetch the file by hand")


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _pool(source: str) -> Any:
    """Through the proxy of the environment (HTTPS_PROXY, NO_PROXY), as other programs go."""
    import urllib3

    parts = urllib.parse.urlsplit(source)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy is None or _is_here(parts.hostname or "") or urllib.request.proxy_bypass(parts.hostname or ""):
        return urllib3.PoolManager(retries=2)
    return urllib3.ProxyManager(proxy, retries=2)


def _from_store(source: str, folder: pathlib.Path) -> str:
    from pyarrow import fs

    try:
        store, path = fs.FileSystem.from_uri(_bounded(source))
        found = store.get_file_info(path)
        if found.type == fs.FileType.NotFound:
            raise _unreadable(source, "there is no such object", "check bucket and name; they are taken as written")
        if found.is_file:
            with store.open_input_stream(path) as stream:
                return _write(stream, folder / found.base_name)
        return _fetch_folder(source, store, path, folder)
    except (OSError, ValueError) as error:  # PyArrow raises these, with the store's own message
        hint = "check bucket, credentials (as the store's own program uses them) and region"
        raise _unreadable(source, f"the store cannot be read: {_reason(error)}", hint) from None


def _bounded(source: str) -> str:
    """The address with a limit to Google's retries, which would go on for a quarter of an hour.

    >>> _bounded("gs://bucket/orders/"), _bounded("s3://bucket/orders/")
    ('gs://bucket/orders?retry_limit_seconds=20', 's3://bucket/orders')
    """
    place, _, options = source.partition("?")
    limit = RETRIES if source.startswith("gs://") and "retry_limit_seconds" not in options else ""
    return "?".join(part for part in (place.rstrip("/"), "&".join(part for part in (options, limit) if part)) if part)


def _fetch_folder(source: str, store: Any, path: str, folder: pathlib.Path) -> str:
    from pyarrow import fs

    found = store.get_file_info(fs.FileSelector(path, recursive=True))
    files = [info for info in found if info.is_file and info.path.endswith(".parquet")]
    if not files:
        raise _unreadable(source, "the folder holds no Parquet file", "name the file: s3://bucket/folder/orders.csv")
    for info in files:
        target = folder / pathlib.PurePosixPath(info.path).relative_to(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with store.open_input_stream(info.path) as stream:
            _write(stream, target)
    return str(folder)


def _write(stream: Any, target: pathlib.Path) -> str:
    try:
        file = target.open("wb")
    except OSError as error:
        raise errors.CannotWrite("the copy cannot be written", first=str(target), hint=typed_rows.NO_SPACE) from error
    with file:
        shutil.copyfileobj(stream, file, CHUNK)
    return str(target)


def _reason(error: Exception) -> str:
    """The first line of the last cause, without the address, which may hold a signature."""
    cause = getattr(error, "reason", None) or error
    return CONNECTION.sub("", str(cause).strip().splitlines()[0]).partition(" error_info=")[0][:MOST_SIGNS]


def _unreadable(source: str, what: str, hint: str) -> errors.SourceUnreadable:
    return errors.SourceUnreadable(what, first=addresses.redact(source), hint=hint)
