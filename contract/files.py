"""Files and folders that are replaced as a whole: readers see the old one or the new one, never a half.

New content goes to a hidden neighbour, `.<name>.<random>.part`, in the folder of the target. The neighbour takes the
target's name once it is complete and on disk. Each writer has a neighbour of its own and holds a lock on it, so
writers do not disturb each other, and the last one to finish wins. The kernel releases the lock of a process that is
killed; the next writer to the same target then removes its neighbour.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     target = pathlib.Path(folder, "scores.json")
...     with write_atomically(target) as neighbour:
...         _ = neighbour.write_text("[1, 2]")
...         assert not target.exists()
...     target.read_text()
'[1, 2]'
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from typing import IO

from tiercast.contract import errors

HINT = "check the permissions and the space left there; what was in this place before is unchanged"
NEW, OLD = "new", "old"  # inside the neighbour of a folder


@contextlib.contextmanager
def write_atomically(
    path: pathlib.Path, *, subject: str = "the file", hint: str = HINT, durable: bool = True
) -> Iterator[pathlib.Path]:
    """Yield an empty neighbour to write to; it replaces `path` when the block ends without an error.

    Missing parent folders are made. An existing file passes its permissions on; a symbolic link is replaced itself.
    With `durable=False` the content may be lost in a power cut: for files that only save time.
    Raises `CannotWrite` where an `OSError` occurs, with `subject` and `hint` in its text; `path` stays as it was.
    """
    with cannot_write(path, subject=subject, hint=hint):
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = _mode(path)
        with _neighbour(path, lambda part: part.touch(0o666 if mode is None else 0o600, exist_ok=False)) as part:
            yield part
            if mode is not None:
                part.chmod(mode)
            if durable:
                sync(part)
            part.replace(path)
            if durable:
                _sync_entries(path.parent)


@contextlib.contextmanager
def replace_folder(folder: pathlib.Path, *, subject: str = "the folder", hint: str = HINT) -> Iterator[pathlib.Path]:
    """Yield a new empty folder; it replaces `folder` when the block ends without an error.

    Everything in the old folder is deleted: refuse a folder with other content before. No call exchanges two folders
    at once, so a process that is killed in between may leave no folder; the next writer puts the old one back.
    Raises `CannotWrite` as `write_atomically` does.
    """
    with cannot_write(folder, subject=subject, hint=hint):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _neighbour(folder, lambda part: part.mkdir(0o700)) as part:
            new = part / NEW
            new.mkdir()
            yield new
            for path in (*new.rglob("*"), new):
                sync(path)
            mode = _mode(folder)
            if mode is not None:
                new.chmod(mode)
                folder.replace(part / OLD)
            new.replace(folder)
            _sync_entries(folder.parent)


@contextlib.contextmanager
def exclusive_lock(path: pathlib.Path, *, busy: errors.TiercastError | None = None) -> Iterator[None]:
    """Hold the lock file `path` inside the block, against other processes and other threads.

    Raises `busy` at once where it is held already (`CannotWrite` by default), and `CannotWrite` where the file cannot
    be opened. The kernel releases the lock however the process ends. Only the holder may delete the file.
    `fcntl.flock` is the call that the `filelock` package wraps; one dependency less for every installation.
    """
    with contextlib.ExitStack() as stack:
        with cannot_write(path, subject="the lock file"):
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(_open_locked(path, busy))
        yield


def require_writable(path: pathlib.Path, *, subject: str = "the file", hint: str = HINT) -> None:
    """Raise `CannotWrite` before any work is done where `path` cannot be written; missing parent folders are made."""
    with cannot_write(path, subject=subject, hint=hint):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _neighbour(path, lambda part: part.touch(exist_ok=False)):
            pass


@contextlib.contextmanager
def cannot_write(path: pathlib.Path, *, subject: str = "the file", hint: str = HINT) -> Iterator[None]:
    """Raise `CannotWrite` for an `OSError` inside the block: "the file cannot be written: no space left on device"."""
    try:
        yield
    except OSError as error:
        what = f"{subject} cannot be written: {reason(error)}"
        raise errors.CannotWrite(what, first=str(path), hint=hint) from error


def reason(error: Exception) -> str:
    """Why a file cannot be used, without its path: the system's words for an `OSError`, else the error's own.

    >>> reason(FileNotFoundError(2, "No such file or directory", "scores.parquet"))
    'no such file or directory'
    """
    return (getattr(error, "strerror", None) or str(error)).lower()


def sha256(path: pathlib.Path) -> str:
    """The SHA-256 of a file's content: 64 hex digits. Raises `SourceUnreadable`."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        hint = "check the path and the permissions"
        raise errors.SourceUnreadable(
            f"the file cannot be read: {reason(error)}", first=str(path), hint=hint
        ) from error


def sync(path: pathlib.Path) -> None:
    """Return once the content of a file, or the list of a folder's entries, survives a power cut."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _sync_entries(folder: pathlib.Path) -> None:
    """The new entry is there already, so a file system that cannot sync a folder is no failure."""
    with contextlib.suppress(OSError):
        sync(folder)


def _mode(path: pathlib.Path) -> int | None:
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else None


def _open_locked(path: pathlib.Path, busy: errors.TiercastError | None) -> IO[bytes]:
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        hint = "wait until the other process has ended"
        raise busy or errors.CannotWrite("another process is writing here", first=str(path), hint=hint) from error
    if os.fstat(file.fileno()).st_nlink:
        return file
    file.close()  # its last holder deleted it after it was opened here: the lock of a file without a name is nothing
    return _open_locked(path, busy)


@contextlib.contextmanager
def _neighbour(target: pathlib.Path, create: Callable[[pathlib.Path], None]) -> Iterator[pathlib.Path]:
    """A new file or folder beside `target`, locked inside the block; what is left of it is removed at the end."""
    _remove_abandoned(target)
    part, lock = _create_locked(target, create)
    try:
        yield part
    finally:
        _remove(part, target)
        os.close(lock)


def _create_locked(target: pathlib.Path, create: Callable[[pathlib.Path], None]) -> tuple[pathlib.Path, int]:
    """The neighbour and the open file that holds its lock; again where another writer removed it before the lock."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    create(part)
    try:
        lock = os.open(part, os.O_RDONLY)
    except FileNotFoundError:
        return _create_locked(target, create)
    with contextlib.suppress(OSError):  # a file system without locks: what a killed process leaves there stays
        fcntl.flock(lock, fcntl.LOCK_EX)
    if part.exists():
        return part, lock
    os.close(lock)
    return _create_locked(target, create)


def _remove_abandoned(target: pathlib.Path) -> None:
    """Remove the neighbours that no process holds a lock on: their writers were killed."""
    name = re.compile(rf"\.{re.escape(target.name)}(\.[0-9a-f]{{8}})?\.part")
    for part in [path for path in target.parent.iterdir() if name.fullmatch(path.name)]:
        with contextlib.suppress(OSError):  # another user's, or removed by another writer in this moment
            lock = os.open(part, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(part, target)
            finally:
                os.close(lock)


def _remove(part: pathlib.Path, target: pathlib.Path) -> None:
    """Remove a neighbour; an old folder that was moved into it and not replaced comes back first."""
    if (part / OLD).exists() and not target.exists():
        (part / OLD).replace(target)
    if part.is_dir():
        shutil.rmtree(part, ignore_errors=True)
    else:
        part.unlink(missing_ok=True)
