"""Assign customers to buckets by a hash of their id: the same on every engine and in every version.

The bucket is the number in the first four hexadecimal digits of md5(customer_id), modulo the number of buckets. The
hash functions of engines differ from each other and between versions; md5 does not.

>>> import ibis
>>> ids = ibis.memtable({"customer_id": ["c-1", "c-2", "007"]})
>>> assign(ids.customer_id, 16).execute().tolist()
[10, 9, 4]
>>> import hashlib
>>> [int(hashlib.md5(i.encode()).hexdigest()[:4], 16) % 16 for i in ["c-1", "c-2", "007"]]
[10, 9, 4]
"""

from __future__ import annotations

import ibis
from ibis.expr import types as ir

DIGITS = 4
LARGEST = 16**DIGITS


def assign(customer_id: ir.Value, buckets: int) -> ir.IntegerValue:
    """The bucket of each customer, in [0, buckets); at most 65,536 buckets."""
    if not 1 <= buckets <= LARGEST:
        raise ValueError(f"buckets must be in [1, {LARGEST:,}], not {buckets}")
    digest = customer_id.hexdigest("md5").lower()
    digits = [ibis.literal("0123456789abcdef").find(digest.substr(place, 1)) for place in range(DIGITS)]
    number = sum((digit * 16**power for power, digit in enumerate(reversed(digits))), ibis.literal(0))
    return (number % buckets).cast("int32")
