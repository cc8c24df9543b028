from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tiercast.contract import errors
from tiercast.serving.access import keys, startup
from tiercast.serving.store import database, migrations

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(params=["none", "empty", "live", "revoked", "expired"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str | None]:
    """A store in each state, by the name of the state."""
    kind = str(request.param)
    if kind == "none":
        return kind, None
    address = f"sqlite:///{tmp_path / 'scores.db'}"
    engine = database.open(address, create=True)
    migrations.upgrade(engine)
    if kind != "empty":
        key, _ = keys.add(engine, "a", ["score"], days=1, now=LONG_AGO if kind == "expired" else None)
        if kind == "revoked":
            keys.revoke(engine, key.key_id)
    return kind, address


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "127.8.9.10"])
def test_this_machine_needs_a_key_as_soon_as_there_is_or_was_one(store: tuple[str, str | None], address: str) -> None:
    kind, url = store
    assert startup.requires_keys(address, url) == (kind in ("live", "revoked", "expired"))


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.0.7", "::ffff:192.168.0.7"])
def test_others_are_listened_to_only_if_one_key_is_live(store: tuple[str, str | None], address: str) -> None:
    kind, url = store
    if kind == "live":
        assert startup.requires_keys(address, url)
        return
    with pytest.raises(errors.BadInput, match="without keys" if kind == "none" else "no key of the store is live"):
        startup.requires_keys(address, url)


def test_a_store_that_is_not_there_is_no_store_without_keys(tmp_path: Path) -> None:
    with pytest.raises(errors.TiercastError):
        startup.requires_keys("127.0.0.1", f"sqlite:///{tmp_path / 'missing.db'}")


@pytest.mark.parametrize("host", ["", "example.org", "127.0.0.1.example.org", "127.1", "0x7f000001"])
def test_a_host_must_be_an_address_in_numbers(host: str) -> None:
    with pytest.raises(errors.BadInput, match="no address"):
        startup.numeric_address(host)
