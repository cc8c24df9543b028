"""API keys in the store: add, list, revoke. No key is ever deleted, so that an old audit log stays readable."""

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
KeyState = Literal["live", "expired", "revoked"]


class Key(NamedTuple):
    """A stored key, with the hash of its secret."""

    key_id: str
    name: str
    secret_hash: str
    roles: frozenset[str]
    created_at: dt.datetime
    expires_at: dt.datetime | None = None
    revoked_at: dt.datetime | None = None

    def state(self, now: dt.datetime) -> KeyState:
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "live"


def add(
    engine: Engine, name: str, given_roles: Iterable[str], *, days: int | None = None, now: dt.datetime | None = None
) -> tuple[Key, tokens.Token]:
    """A new key and its token, which is shown only now. `days` None: valid until revoked. Raises `BadInput`."""
    if not NAME.fullmatch(name):
        hint = "use 1 to 64 letters, digits, spaces and . _ + -"
        raise errors.BadInput("a key's name must be one that a log can show", first=repr(name[:80]), hint=hint)
    if days is not None and not 0 < days <= 36_500:
        raise errors.BadInput("a key must last for some days", first=f"--days {days}", hint="pass --days 90")
    token, created_at = tokens.new(), now or dt.datetime.now(dt.UTC)
    ends = None if days is None else created_at + dt.timedelta(days=days)
    key = Key(token.key_id, name, tokens.hash_secret(token.secret), roles.validated(given_roles), created_at, ends)
    row = {**key._asdict(), "roles": ",".join(role for role in roles.ROLES if role in key.roles)}
    migrations.prepare(engine)
    with database.write_transaction(engine) as connection:
        connection.execute(sa.insert(tables.keys).values(row))
    return key, token


def list_keys(engine: Engine) -> list[Key]:
    """All keys, oldest first, including expired and revoked ones. Raises `StoreUnavailable`."""
    query = sa.select(tables.keys).order_by(tables.keys.c.created_at, tables.keys.c.key_id)
    with database.read_transaction(engine) as connection:
        return [_key(row._asdict()) for row in connection.execute(query)]


def revoke(engine: Engine, key_id: str, *, now: dt.datetime | None = None) -> Key:
    """The key, revoked now or before. Raises `BadInput` for an unknown id."""
    keys = tables.keys
    plain_id = key_id.removeprefix("tck_").partition("_")[0]
    change = sa.update(keys).where(keys.c.key_id == plain_id, keys.c.revoked_at.is_(None))
    with database.write_transaction(engine) as connection:
        connection.execute(change.values(revoked_at=now or dt.datetime.now(dt.UTC)))
        row = connection.execute(sa.select(keys).where(keys.c.key_id == plain_id)).first()
    if row is None:
        raise errors.BadInput(
            "no key has this id", first=plain_id[:12], hint="tiercast keys list --store URL shows the ids"
        )
    return _key(row._asdict())


def reader(url: str) -> Callable[[], Sequence[Key]]:
    """A function that reads all keys. It opens the store when first called, for the store may be away at the start."""
    opened: list[Engine] = []

    def read() -> Sequence[Key]:
        if not opened:
            opened.append(database.open(url))
        return list_keys(opened[0])

    return read


def _key(row: dict[str, Any]) -> Key:
    return Key(**{**row, "roles": frozenset(filter(None, row["roles"].split(",")))})
