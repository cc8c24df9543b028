"""The text that a caller shows: `tck_`, the key's id, `_`, its secret. Only the secret's hash is ever stored.

The id is no secret: it stands in lists and logs. The secret has 256 random bits, so a plain SHA-256 of it cannot be
searched through, and needs no salt and no slow hash, which would only make every request slow.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import NamedTuple

TOKEN = re.compile(r"tck_([0-9a-f]{12})_([0-9a-f]{64})")
LONGEST = len("tck__") + 12 + 64
NOBODY = "0" * 64
"""A hash that no secret has been found for, compared with where there is no key of that id."""


class Token(NamedTuple):
    """A key's id and secret. Its `repr` keeps the secret to itself."""

    key_id: str
    secret: str

    def __repr__(self) -> str:
        return f"Token(key_id={self.key_id!r}, secret='…')"

    def text(self) -> str:
        return f"tck_{self.key_id}_{self.secret}"


def new() -> Token:
    """A token that nobody has seen.

    >>> read(new().text()).key_id == read("tck_0").key_id
    False
    """
    return Token(secrets.token_hex(6), secrets.token_hex(32))


def read(text: str) -> Token:
    """What a caller showed; something that is no token has an id that no key has."""
    found = TOKEN.fullmatch(text)
    return Token(found[1], found[2]) if found else Token("", text[:LONGEST])


def hashed(secret: str) -> str:
    """SHA-256 in hex.

    >>> hashed("abc")[:16]  # FIPS 180-2, appendix B.1
    'ba7816bf8f01cfea'
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def fits(secret: str, secret_hash: str) -> bool:
    """Whether the secret has this hash, in a time that does not tell how much of it is right."""
    return secrets.compare_digest(hashed(secret), secret_hash)
