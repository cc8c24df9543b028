from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from pathlib import Path

from tests.serving.http.app_calls import KeyDatabase
from tiercast.serving.access import keyring, keys, tokens
from tiercast.serving.access.keys import Key
from tiercast.serving.store import database

NOW = dt.datetime.now(dt.UTC)
TOKEN = tokens.new()
KEY = Key(TOKEN.key_id, "checkout", tokens.hash_secret(TOKEN.secret), frozenset({"score"}), NOW)


def state(ring: keyring.Keyring, token: tokens.Token) -> str | None:
    found = ring.find(token.text())
    return found.state if found else None


def test_a_token_finds_its_key_and_no_other_does() -> None:
    ring = keyring.Keyring(KeyDatabase([KEY]).read, 60)
    ring.refresh()
    found = ring.find(TOKEN.text())
    assert found == (KEY, "live")
    wrong = [tokens.Token(TOKEN.key_id, tokens.new().secret).text(), tokens.new().text(), "", "tck_", TOKEN.secret]
    assert [ring.find(text) for text in wrong] == [None] * 5


def test_before_the_first_reading_no_key_is_known() -> None:
    ring = keyring.Keyring(KeyDatabase([KEY]).read, 60)
    assert (ring.find(TOKEN.text()), ring.was_read, ring.read_at) == (None, False, None)


def test_while_the_database_is_down_the_keys_read_last_stay_valid_and_the_problem_is_kept() -> None:
    key_database = KeyDatabase([KEY])
    ring = keyring.Keyring(key_database.read, 60)
    ring.refresh()
    key_database.is_down = True
    ring.refresh()
    assert ring.find(TOKEN.text()) is not None
    assert ring.problem == "the store does not answer"
    key_database.is_down = False
    ring.refresh()
    assert ring.problem is None


def test_a_key_ends_on_its_day_even_while_the_database_is_down() -> None:
    ring = keyring.Keyring(KeyDatabase([KEY._replace(expires_at=NOW + dt.timedelta(hours=1))]).read, 60)
    ring.refresh()
    before, after = (ring.find(TOKEN.text(), NOW + dt.timedelta(minutes=m)) for m in (59, 60))
    assert [found.state if found else None for found in (before, after)] == ["live", "expired"]


def test_a_driver_that_raises_anything_does_not_stop_the_reading() -> None:
    def broken() -> Sequence[Key]:
        raise RuntimeError("password=hunter2")

    ring = keyring.Keyring(broken, 60)
    ring.refresh()
    assert ring.problem == "the keys cannot be read: RuntimeError"


def test_a_key_revoked_in_the_store_stops_within_a_reading(tmp_path: Path) -> None:
    engine = database.open(f"sqlite:///{tmp_path / 'scores.db'}", create=True)
    key, token = keys.add(engine, "checkout", ["score"])
    readings: list[float] = []
    ring = keyring.Keyring(keys.reader(f"sqlite:///{tmp_path / 'scores.db'}"), 0.05, readings.append)
    ring.start()
    try:
        assert state(ring, token) == "live"
        keys.revoke(engine, key.key_id)
        deadline = time.monotonic() + 10
        while state(ring, token) == "live" and time.monotonic() < deadline:
            time.sleep(0.02)
        assert state(ring, token) == "revoked"
    finally:
        ring.stop()
    assert readings[-1] == ring.read_at
