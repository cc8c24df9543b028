"""The keys in the store: adding, listing, revoking. A key is never removed, so that an old audit log stays readable."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from tiercast.contract import errors
from tiercast.serving.access import roles, tokens
from tiercast.serving.store import database, migrations, tables

NAME = re.compile(r"[\w.+-](?:[\w .+-]{0,62}[\w.+-])?", re.ASCII)
State = Literal["live", "expired", "revoked"]


class Key(NamedTuple):
    """What is stored of a key; the secret is not among it."""

    key_id: str
    name: str
    secret_hash: str
    roles: frozenset[str]
    created_at: dt.datetime
    expires_at: dt.datetime | None = None
    revoked_at: dt.datetime | None = None

    def state(self, now: dt.datetime) -> State:
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "live"


def add(
    engine: Engine, name: str, asked: Iterable[str], *, days: int | None = None, now: dt.datetime | None = None
) -> tuple[Key, tokens.Token]:
    """A new key and its token, which cannot be had again. `days` None: until revoked. Raises `BadInput`."""
    if not NAME.fullmatch(name):
        hint = "use 1 to 64 letters, digits, spaces and . _ + -"
        raise errors.BadInput("a key's name must be one that a log can show", first=repr(name[:80]), hint=hint)
    if days is not None and not 0 < days <= 36_500:
        raise errors.BadInput("a key must last for some days", first=f"--days {days}", hint="pass --days 90")
    token, made = tokens.new(), now or dt.datetime.now(dt.UTC)
    ends = None if days is None else made + dt.timedelta(days=days)
    key = Key(token.key_id, name, tokens.hashed(token.secret), roles.checked(asked), made, ends)
    row = {**key._asdict(), "roles": ",".join(role for role in roles.ROLES if role in key.roles)}
    migrations.prepare(engine)
    with database.write_transaction(engine) as connection:
        connection.execute(sa.insert(tables.keys).values(row))
    return key, token


def every(engine: Engine) -> list[Key]:
    """All keys, oldest first, with the expired and the revoked ones. Raises `StoreUnavailable`."""
    asked = sa.select(tables.keys).order_by(tables.keys.c.created_at, tables.keys.c.key_id)
    with database.read_transaction(engine) as connection:
        return [_key(row._asdict()) for row in connection.execute(asked)]


def revoke(engine: Engine, key_id: str, *, now: dt.datetime | None = None) -> Key:
    """The key, revoked now or already before. Raises `BadInput` for an id that no key has."""
    keys = tables.keys
    asked = key_id.removeprefix("tck_").partition("_")[0]
    change = sa.update(keys).where(keys.c.key_id == asked, keys.c.revoked_at.is_(None))
    with database.write_transaction(engine) as connection:
        connection.execute(change.values(revoked_at=now or dt.datetime.now(dt.UTC)))
        row = connection.execute(sa.select(keys).where(keys.c.key_id == asked)).first()
    if row is None:
        raise errors.BadInput(
            "no key has this id", first=asked[:12], hint="tiercast keys list --store URL shows the ids"
        )
    return _key(row._asdict())


def reader(url: str) -> Callable[[], Sequence[Key]]:
    """A function that reads all keys, and opens the store when it is first called: it may not answer yet."""
    opened: list[Engine] = []

    def read() -> Sequence[Key]:
        if not opened:
            opened.append(database.open(url))
        return every(opened[0])

    return read


def _key(row: dict[str, Any]) -> Key:
    return Key(**{**row, "roles": frozenset(filter(None, row["roles"].split(",")))})
