"""Whether the service may listen on an address, and whether it requires keys there.

store           this machine only       any other address
none            open                    refused
no key at all   open, until one comes   refused
keys            keys                    keys; refused if none is live
"""

from __future__ import annotations

import datetime as dt
import ipaddress

from tiercast.contract import errors
from tiercast.serving.access import keys
from tiercast.serving.store import database, migrations

LOCAL = "TIERCAST_LOCAL"
"""`1`: the service may respond without keys, to callers on the same machine only."""


def is_loopback(address: str) -> bool:
    """Whether only callers on the same machine can reach the address.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0"), is_loopback("example.org")
    (True, True, False, False)
    """
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def numeric_address(host: str) -> str:
    """The numeric address of a host, which BentoML needs. Raises `BadInput` for a name."""
    address = "127.0.0.1" if host == "localhost" else host
    try:
        return str(ipaddress.ip_address(address))
    except ValueError as error:
        hint = "pass the address of a network card in numbers, or 0.0.0.0 for all of them"
        raise errors.BadInput("the host is no address", first=f"--host {host}", hint=hint) from error


def requires_keys(address: str, store: str | None) -> bool:
    """See the table above. Raises `BadInput`, `StoreRefused`, `StoreUnavailable`."""
    if store is None:
        _refuse_elsewhere(address, "without keys, the service listens on this machine only")
        return False
    engine = database.open(store)
    migrations.require(engine)
    listed = keys.list_keys(engine)
    now = dt.datetime.now(dt.UTC)
    if not any(key.state(now) == "live" for key in listed):
        _refuse_elsewhere(address, "no key of the store is live, so no caller could be authorized")
    return bool(listed)


def _refuse_elsewhere(address: str, what: str) -> None:
    if not is_loopback(address):
        hint = "tiercast keys add NAME --role score --store URL, then pass --store URL; or leave --host out"
        raise errors.BadInput(what, first=f"--host {address}", hint=hint)
