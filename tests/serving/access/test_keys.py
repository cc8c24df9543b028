from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from tiercast.contract import errors
from tiercast.serving.access import keys
from tiercast.serving.store import database

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "scores.db"


@pytest.fixture
def store(file: Path) -> Engine:
    return database.open(f"sqlite:///{file}", create=True)


def test_a_new_key_is_listed_with_its_roles_and_its_end(store: Engine) -> None:
    made, _ = keys.add(store, "checkout", ["score", "read"], days=90, now=NOON)
    (listed,) = keys.list_keys(store)
    assert listed == made
    assert listed.roles == {"read", "score"}
    assert listed.expires_at == dt.datetime(2027, 2, 20, 12, tzinfo=dt.UTC)  # 8 + 31 + 31 + 20 days


def test_the_secret_stands_nowhere_in_the_file(store: Engine, file: Path) -> None:
    _, token = keys.add(store, "checkout", ["score"])
    store.dispose()
    with sqlite3.connect(file) as connection:
        (row,) = connection.execute("SELECT * FROM keys")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert token.key_id in row
    assert token.secret.encode() not in file.read_bytes()


def test_a_key_lives_until_the_moment_of_its_end(store: Engine) -> None:
    key, _ = keys.add(store, "checkout", ["score"], days=1, now=NOON)
    end = NOON + dt.timedelta(days=1)
    assert [key.state(end - dt.timedelta(seconds=1)), key.state(end)] == ["live", "expired"]


def test_a_revoked_key_stays_in_the_list_and_keeps_its_first_end(store: Engine) -> None:
    key, token = keys.add(store, "checkout", ["score"], now=NOON)
    assert keys.revoke(store, key.key_id, now=NOON + dt.timedelta(hours=1)).state(NOON) == "revoked"
    again = keys.revoke(store, token.text(), now=NOON + dt.timedelta(hours=2))  # a whole token names its key too
    assert again.revoked_at == NOON + dt.timedelta(hours=1)
    assert keys.list_keys(store) == [again]


def test_revoking_names_no_secret_when_no_key_has_the_id(store: Engine) -> None:
    keys.add(store, "checkout", ["score"])
    with pytest.raises(errors.BadInput, match="no key has this id") as caught:
        keys.revoke(store, f"tck_{'0' * 12}_{'5ec2e7' * 11}")
    assert "5ec2e7" not in str(caught.value)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 65, "a'; DROP TABLE keys; --", 'a"b', "é\u202e"])
def test_a_name_that_could_forge_a_log_line_is_refused(store: Engine, name: str) -> None:
    with pytest.raises(errors.BadInput, match="name"):
        keys.add(store, name, ["score"])


@pytest.mark.parametrize(("roles", "days"), [([], None), (["root"], None), (["score"], 0), (["score"], -3)])
def test_a_key_with_odd_roles_or_days_is_refused(store: Engine, roles: list[str], days: int | None) -> None:
    with pytest.raises(errors.BadInput):
        keys.add(store, "checkout", roles, days=days)


def test_a_reader_of_a_store_that_is_not_there_yet_reads_it_when_it_is(file: Path) -> None:
    read = keys.reader(f"sqlite:///{file}")
    with pytest.raises(errors.TiercastError):
        read()
    key, _ = keys.add(database.open(f"sqlite:///{file}", create=True), "checkout", ["score"])
    assert read() == [key]
