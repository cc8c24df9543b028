"""What a key may do.

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


def may(given: Iterable[str], needed: Iterable[Role]) -> bool:
    """Whether one of the roles given is one of those needed; an admin may do everything.

    >>> may({"score"}, ("read", "score")), may({"admin"}, ("read",)), may({"score"}, ("read",))
    (True, True, False)
    """
    return not {"admin", *needed}.isdisjoint(given)


def checked(asked: Iterable[str]) -> frozenset[Role]:
    """The roles of a new key. Raises `BadInput` for none and for one that there is not."""
    given = list(asked)
    hint = f"pass --role with {', '.join(ROLES)}; more than one if needed"
    if not given:
        raise errors.BadInput("a key without a role may do nothing", hint=hint)
    unknown = [role for role in given if role not in ROLES]
    if unknown:
        what = "there is no such role"
        raise errors.BadInput(what, count=len(unknown), total=len(given), unit="roles", first=unknown[0], hint=hint)
    return frozenset(role for role in ROLES if role in given)
