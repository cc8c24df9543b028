"""The token that a caller sends: `tck_`, the key's id, `_`, its secret. Only the secret's hash is stored.

The id is no secret: lists and logs show it. The secret has 256 random bits, so nobody can guess it from a plain
SHA-256. A salt or a slow hash would only make every request slow.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import NamedTuple

TOKEN = re.compile(r"tck_([0-9a-f]{12})_([0-9a-f]{64})")
MAX_LENGTH = len("tck__") + 12 + 64
NO_HASH = "0" * 64
"""The hash to compare with where no key has the id; no secret with this hash is known."""


class Token(NamedTuple):
    """A key's id and secret. Its `repr` masks the secret."""

    key_id: str
    secret: str

    def __repr__(self) -> str:
        return f"Token(key_id={self.key_id!r}, secret='…')"

    def text(self) -> str:
        return f"tck_{self.key_id}_{self.secret}"


def new() -> Token:
    """A random token.

    >>> parse(new().text()).key_id == parse("tck_0").key_id
    False
    """
    return Token(secrets.token_hex(6), secrets.token_hex(32))


def parse(text: str) -> Token:
    """The token in a text; a malformed text gives an id that no key has."""
    match = TOKEN.fullmatch(text)
    return Token(match[1], match[2]) if match else Token("", text[:MAX_LENGTH])


def hash_secret(secret: str) -> str:
    """SHA-256 in hex.

    >>> hash_secret("abc")[:16]  # FIPS 180-2, appendix B.1
    'ba7816bf8f01cfea'
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def matches(secret: str, secret_hash: str) -> bool:
    """Whether the secret has this hash, compared in constant time."""
    return secrets.compare_digest(hash_secret(secret), secret_hash)
