"""`tiercast keys add | list | revoke`: access to the service."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tiercast.commands import options
from tiercast.contract.errors import BadInput
from tiercast.terminal import console

if TYPE_CHECKING:
    from tiercast.serving.access.keys import Key


def add_to(app: typer.Typer) -> None:
    keys = typer.Typer(help="Access to the service: keys in the score store.", no_args_is_help=True)
    keys.command(epilog="Example: tiercast keys add checkout --role score --days 90 --store scores.db")(add)
    keys.command("list", epilog="Example: tiercast keys list --store scores.db")(list_keys)
    keys.command(epilog="Example: tiercast keys revoke 3f2a91c0d4e5 --store scores.db")(revoke)
    app.add_typer(keys, name="keys")


def add(
    name: Annotated[str, typer.Argument(help="The user of the key, as the audit log names it.")],
    role: Annotated[
        list[str] | None,
        typer.Option("--role", help="What it may do: score, read or admin; as often as needed."),
    ] = None,
    days: Annotated[int | None, typer.Option("--days", help="Ends after so many days; without, when revoked.")] = None,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Make a key and show it, this once: only a hash of its secret is kept."""
    from tiercast.serving.access import keys
    from tiercast.serving.store import database

    engine = database.open(_require_store(store), create=True)
    key, token = keys.add(engine, name, role or [], days=days)
    if json:
        console.print_json({**_as_dict(key), "token": token.text()})
        return
    console.print_line(token.text())
    ends = f"until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else "until it is revoked"
    console.print_note(f"Key {key.key_id} for {name}: {_roles(key)}, {ends}. The line above is shown only now.")


def list_keys(store: options.Store = None, json: options.Json = False) -> None:
    """List all keys, the ended and the revoked ones too; their secrets are not stored."""
    from tiercast.serving.access import keys
    from tiercast.serving.store import database, migrations

    engine = database.open(_require_store(store))
    migrations.require(engine)
    listed = keys.list_keys(engine)
    if json:
        console.print_json({"keys": [_as_dict(key) for key in listed]})
        return
    columns = [(name, "left") for name in ("key", "name", "roles", "state", "made", "ends")]
    console.print_table(f"{len(listed)} key{'' if len(listed) == 1 else 's'}", columns, [_cells(key) for key in listed])


def revoke(
    key: Annotated[str, typer.Argument(help="The key's id, as `tiercast keys list` shows it.")],
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """End a key; a running service knows within seconds."""
    from tiercast.serving.access import keys
    from tiercast.serving.store import database, migrations

    engine = database.open(_require_store(store))
    migrations.require(engine)
    done = keys.revoke(engine, key)
    if json:
        console.print_json(_as_dict(done))
        return
    console.print_line(f"key {done.key_id} of {done.name} is revoked since {done.revoked_at:%Y-%m-%d %H:%M} UTC")


def _require_store(store: str | None) -> str:
    if store is None:
        hint = "pass --store scores.db or --store postgresql://user@host/database, or set TIERCAST_STORE"
        raise BadInput("no store of keys is named", hint=hint)
    return store


def _as_dict(key: Key) -> dict[str, Any]:
    state = key.state(dt.datetime.now(dt.UTC))
    moments = {"created_at": key.created_at, "expires_at": key.expires_at, "revoked_at": key.revoked_at}
    return {"key_id": key.key_id, "name": key.name, "roles": sorted(key.roles), "state": state} | {
        name: moment.isoformat(timespec="seconds") if moment else None for name, moment in moments.items()
    }


def _roles(key: Key) -> str:
    return ", ".join(sorted(key.roles))


def _cells(key: Key) -> list[str]:
    ends = key.revoked_at or key.expires_at
    state = key.state(dt.datetime.now(dt.UTC))
    return [key.key_id, key.name, _roles(key), state, f"{key.created_at:%Y-%m-%d}", f"{ends:%Y-%m-%d}" if ends else ""]
