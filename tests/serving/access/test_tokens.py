from __future__ import annotations

import hashlib
import math

import pytest

from tiercast.serving.access import tokens


def test_a_secret_has_256_bits_and_no_two_tokens_are_the_same() -> None:
    made = [tokens.new() for _ in range(200)]
    assert len({token.secret for token in made}) == len({token.key_id for token in made}) == 200
    assert {len(bytes.fromhex(token.secret)) * 8 for token in made} == {256}
    ones = sum(bin(int(token.secret, 16)).count("1") for token in made)
    assert abs(ones - 200 * 128) < 6 * math.sqrt(200 * 256 * 0.25)  # fair coins, six standard deviations


def test_a_token_is_read_as_it_was_written() -> None:
    token = tokens.new()
    assert token.text() == f"tck_{token.key_id}_{token.secret}"
    assert tokens.parse(token.text()) == token


@pytest.mark.parametrize("text", ["", "tck_", "tck_1_2", "TCK_" + "0" * 12 + "_" + "0" * 64, "x" * 100_000, "\ud800"])
def test_what_is_no_token_has_the_id_of_no_key_and_is_compared_all_the_same(text: str) -> None:
    token = tokens.parse(text)
    assert token.key_id == ""
    assert not tokens.matches(token.secret, tokens.NO_HASH)


def test_a_token_with_a_newline_behind_it_is_none() -> None:
    assert tokens.parse(tokens.new().text() + "\n").key_id == ""


def test_only_the_hash_is_needed_to_know_a_secret() -> None:
    token = tokens.new()
    kept = hashlib.sha256(token.secret.encode()).hexdigest()
    assert tokens.matches(token.secret, kept)
    assert not tokens.matches(tokens.new().secret, kept)


def test_a_printed_token_keeps_its_secret() -> None:
    token = tokens.new()
    assert token.secret not in f"{token!r} {token}"
