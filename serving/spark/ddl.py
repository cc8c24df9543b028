"""The score columns in Spark's DDL."""

from __future__ import annotations

import pyarrow as pa

TYPES = {
    pa.string(): "string",
    pa.date32(): "date",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.list_(pa.string()): "array<string>",
}


def from_arrow(schema: pa.Schema) -> str:
    """The columns of an Arrow schema as Spark's DDL writes them.

    >>> from_arrow(pa.schema([("tier", pa.string()), ("reasons", pa.list_(pa.string()))]))
    'tier string, reasons array<string>'
    """
    return ", ".join(f"{field.name} {TYPES[field.type]}" for field in schema)
