"""Each generation records the columns of its table, so that a later version can read it.

The empty table `scores`, which showed the columns of all generations, goes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

COLUMNS = (
    "customer_id", "tier", "status", "p_churn", "loyalty", "p_alive", "expected_orders", "expected_order_value", "clv",
    "value", "value_low", "value_high", "p_high_value", "tier_confidence", "is_borderline", "reason_1", "reason_2",
    "reason_3", "action", "raw_tier", "p_order", "orders_if_any", "value_per_order", "disagreement", "value_at_risk",
    "previous_tier", "move",
)  # fmt: skip
"""Of every generation that was published before this revision."""


def upgrade() -> None:
    op.add_column("generations", sa.Column("columns", sa.JSON))
    generations = sa.table("generations", sa.column("columns", sa.JSON))
    op.execute(generations.update().values(columns=list(COLUMNS)))
    op.drop_table("scores")
