"""Open a store by its URL, and use it: `read_transaction`, `write_transaction` and, for generations, `run_query`.

sqlite:///scores.db, scores.db             one file, in write-ahead log mode: readers never wait for the writer
postgresql://user:password@host/database   PostgreSQL through psycopg 3
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.engine import URL, Connection, Engine

from tiercast.contract import errors

POSTGRES = ("postgresql", "postgres", "postgresql+psycopg")
BUSY_MS = 15_000
CACHE_KIB = 65_536  # per connection
CONNECT_SECONDS = 5
CONNECTIONS = 5
FORMS = "pass --store scores.db, sqlite:///scores.db or postgresql://user:password@host/database"
WRITES = "tiercast_writes"
UNDEFINED_TABLE = "42P01"
Result = TypeVar("Result")
Store: TypeAlias = Engine
"""An opened store: the type for modules that send no SQL of their own."""
# SQLite runs in this process and releases the interpreter lock at every row. Threads with concurrent queries pass it
# to and fro, which costs more than the queries. So short queries take turns; long ones run beside them.
_short_turn = threading.Lock()


def open(url: str, *, create: bool = False, connections: int = CONNECTIONS) -> Engine:
    """The store at `url`, after a first connection. Raises `BadInput` for a malformed URL, `StoreUnavailable`.

    A missing SQLite file is created only with `create`. The pool keeps up to `connections` open. `migrations` creates
    the tables.
    """
    parsed = _parse(url)
    is_file = parsed.get_backend_name() == "sqlite"
    engine = _sqlite(parsed, connections, create=create) if is_file else _postgres(parsed, connections)
    with read_transaction(engine):
        pass
    return engine


def display_url(engine: Engine) -> str:
    """The store's URL without password and options, for messages.

    >>> display_url(sa.create_engine("postgresql+psycopg://tier:secret@db.example/scores?password=secret"))
    'postgresql://tier@db.example/scores'
    """
    url = engine.url
    if url.get_backend_name() == "sqlite":
        return f"sqlite:///{_file(url)}"
    bare = URL.create("postgresql", url.username, None, url.host, url.port, url.database)
    return bare.render_as_string()


@contextlib.contextmanager
def read_transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction that sees one state of the store and changes nothing. Raises `StoreUnavailable`."""
    options: dict[str, Any] = {}
    if engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with translated_errors(engine), connect(engine).execution_options(**options) as connection, connection.begin():
        yield connection


def run_query(engine: Engine, query: Callable[[Connection], Result], *, is_long: bool = False) -> Result:
    """The result of `query` about generations, which never change once they are served.

    The result is consistent without a transaction, so on PostgreSQL there is none: that saves the round trips of its
    begin and end. The connection is not tested first either; if it turns out to be dead, because the database was
    restarted, the query runs again on a new one. `is_long`: it may read every row.
    """
    with translated_errors(engine):
        try:
            return _run_query(engine, query, is_long)
        except exc.DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return _run_query(engine, query, is_long)


def _run_query(engine: Engine, query: Callable[[Connection], Result], is_long: bool) -> Result:
    """Runs the query again if a generation was pruned after the query had found it."""
    with _query_connection(engine, is_long) as connection:
        try:
            return query(connection)
        except exc.ProgrammingError as error:
            if getattr(error.orig, "sqlstate", "") != UNDEFINED_TABLE:
                raise
        return query(connection)


@contextlib.contextmanager
def _query_connection(engine: Engine, is_long: bool) -> Iterator[Connection]:
    if engine.dialect.name == "sqlite":  # its transactions cost nothing
        with (
            contextlib.nullcontext() if is_long else _short_turn,
            engine.connect() as connection,
            connection.begin(),
        ):
            yield connection
        return
    with engine.connect() as connection:
        yield connection


@contextlib.contextmanager
def write_transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction that changes the store, whole or not at all. Raises `StoreUnavailable`."""
    options: dict[str, Any] = {WRITES: True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "READ COMMITTED"}
    with translated_errors(engine), connect(engine).execution_options(**options) as connection, connection.begin():
        yield connection


def connect(engine: Engine) -> Connection:
    """A connection that was tested, for a transaction that cannot simply run again on another one.

    The pool's `pool_pre_ping` would test every connection, also those of `run_query`.
    """
    connection = engine.connect()
    if engine.dialect.name == "postgresql":
        try:
            connection.exec_driver_sql("SELECT 1")
        except exc.DBAPIError as error:
            connection.close()
            if not error.connection_invalidated:
                raise
            return engine.connect()  # a new one: the pool has dropped all connections as old as the dead one
        connection.rollback()  # of the transaction that SQLAlchemy believes in
    return connection


@contextlib.contextmanager
def translated_errors(engine: Engine) -> Iterator[None]:
    """Raise our errors for those of the drivers, without the password."""
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.TimeoutError) as error:
        raise _unavailable(engine, error) from None  # the driver's own text may quote the whole address
    except exc.DatabaseError as error:
        if isinstance(error.orig, sqlite3.DatabaseError) and "not a database" in str(error.orig):
            hint = "pass another file, or remove this one"
            raise errors.BadInput("the file is no SQLite database", first=display_url(engine), hint=hint) from None
        raise


def _parse(url: str) -> URL:
    if "://" not in url and url.endswith(".db"):
        return URL.create("sqlite", database=url)
    try:
        parsed = sa.make_url(url)
    except (exc.ArgumentError, ValueError):
        raise errors.BadInput("the store's address cannot be read", first=url.partition(":")[0], hint=FORMS) from None
    if parsed.drivername in POSTGRES:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite") or parsed.database in (None, "", ":memory:"):
        raise errors.BadInput("there is no such kind of store", first=parsed.drivername, hint=FORMS)
    return parsed


def _sqlite(url: URL, connections: int, *, create: bool) -> Engine:
    path = Path(str(url.database))
    if not create and not path.exists():
        hint = "tiercast publish SCORES --store URL makes it; see whether the path is right"
        raise errors.SourceUnreadable("there is no store", first=str(path), hint=hint)
    if not path.parent.is_dir():
        hint = "make the folder first, or pass another --store"
        raise errors.CannotWrite("the store's folder is not there", first=str(path), hint=hint)
    options = {"connect_args": {"timeout": BUSY_MS / 1000}, "pool_size": connections}
    engine = sa.create_engine(URL.create("sqlite", database=str(path)), **options)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    """`_begin_sqlite` begins the transactions: the driver would leave a SELECT outside of them."""
    connection.isolation_level = None
    settings = {"busy_timeout": BUSY_MS, "journal_mode": "WAL", "synchronous": "NORMAL", "foreign_keys": "ON"}
    settings |= {"cache_size": -CACHE_KIB}
    for name, value in settings.items():
        connection.execute(f"PRAGMA {name} = {value}")


def _begin_sqlite(connection: Connection) -> None:
    """A writer locks at once: a transaction that reads first and writes later may fail instead of waiting."""
    is_writer = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")


def _postgres(url: URL, connections: int) -> Engine:
    """Without transactions, except those of `read_transaction` and `write_transaction`."""
    options = {"connect_timeout": CONNECT_SECONDS, "application_name": "tiercast"}
    return sa.create_engine(url, isolation_level="AUTOCOMMIT", pool_size=connections, connect_args=options)


def _file(url: URL) -> str:
    return str(url.database)


def _unavailable(engine: Engine, error: Exception) -> errors.StoreUnavailable:
    reason = "it is busy" if "locked" in str(error) else type(getattr(error, "orig", None) or error).__name__
    hint = "see whether the database runs, and whether address, user and password are right"
    if engine.dialect.name == "sqlite":
        hint = "see whether the file may be written, whether the disk is full, and who else writes to it"
    return errors.StoreUnavailable(f"the store does not answer: {reason}", first=display_url(engine), hint=hint)
