"""The roles of API keys.

    score   send purchases, get scores: sees only what it sends itself
    read    see what is stored of every customer
    admin   both, and everything that changes the service

`score` does not imply `read`: a shop's checkout must score a basket, and has no business with everybody's scores.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from tiercast.contract import errors

Role = Literal["read", "score", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)


def is_allowed(given: Iterable[str], needed: Iterable[Role]) -> bool:
    """Whether a key with the roles `given` may use a route that needs one of `needed`; admins may use all.

    >>> is_allowed({"score"}, ("read", "score")), is_allowed({"admin"}, ("read",)), is_allowed({"score"}, ("read",))
    (True, True, False)
    """
    return not {"admin", *needed}.isdisjoint(given)


def validated(given: Iterable[str]) -> frozenset[Role]:
    """The roles of a new key. Raises `BadInput` for none and for an unknown one."""
    names = list(given)
    hint = f"pass --role with {', '.join(ROLES)}; more than one if needed"
    if not names:
        raise errors.BadInput("a key without a role may do nothing", hint=hint)
    unknown = [role for role in names if role not in ROLES]
    if unknown:
        what = "there is no such role"
        raise errors.BadInput(what, count=len(unknown), total=len(names), unit="roles", first=unknown[0], hint=hint)
    return frozenset(role for role in ROLES if role in names)
