"""Whether two engines gave the same table: to the bit, but for floats, which may differ by 1e-9 of themselves."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

FLOATS = 1e-9


def assert_alike(found: pa.Table, wanted: pa.Table, by: str | None = "customer_id") -> None:
    """Same columns and types, the same rows in the order of `by`, of all columns with None; null and nan differ."""
    assert found.schema.equals(wanted.schema), f"{found.schema}\n--\n{wanted.schema}"
    assert found.num_rows == wanted.num_rows
    order = [(name, "ascending") for name in ([by] if by else wanted.column_names)]
    found, wanted = found.sort_by(order), wanted.sort_by(order)
    different = [name for name in wanted.column_names if not _alike(found[name], wanted[name])]
    assert not different, {name: _shown(found[name], wanted[name]) for name in different}


def _alike(found: pa.ChunkedArray, wanted: pa.ChunkedArray) -> bool:
    a, b = found.combine_chunks(), wanted.combine_chunks()
    if not pa.types.is_floating(a.type):
        return bool(a.equals(b))
    is_null = a.is_null().equals(b.is_null())
    first, second = (each.to_numpy(zero_copy_only=False) for each in (a, b))
    return is_null and np.allclose(first, second, rtol=FLOATS, atol=0.0, equal_nan=True)


def _shown(found: pa.ChunkedArray, wanted: pa.ChunkedArray) -> list[tuple[object, object]]:
    pairs = zip(found.to_pylist(), wanted.to_pylist(), strict=True)
    return [(a, b) for a, b in pairs if a != b][:3]
