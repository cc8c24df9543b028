"""The first schema: generations and the pointer to one of them, the shape of their rows, keys and jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _generations()
    _scores()
    _keys()
    _jobs()


def _generations() -> None:
    op.create_table(
        "generations",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("previous_id", sa.Integer),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("churn_days", sa.Integer, nullable=False),
        sa.Column("value_days", sa.Integer, nullable=False),
        sa.Column("n_customers", sa.BigInteger, nullable=False),
        sa.Column("value_total", sa.Double),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("published_at", MOMENT),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("notes", sa.JSON, nullable=False),
        sa.Column("grid", sa.JSON),
        sa.Column("moves", sa.JSON),
        sa.PrimaryKeyConstraint("id", name="generations_pkey"),
        sqlite_autoincrement=True,
    )
    pointer = op.create_table(
        "pointer",
        sa.Column("one", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("generation_id", sa.Integer),
        sa.Column("switched_at", MOMENT),
        sa.ForeignKeyConstraint(["generation_id"], ["generations.id"], name="pointer_generation_id_fkey"),
        sa.PrimaryKeyConstraint("one", name="pointer_pkey"),
    )
    op.bulk_insert(pointer, [{"one": 1}])


def _scores() -> None:
    closed = ("p_alive", "expected_orders", "expected_order_value", "clv")
    doubles = ("p_churn", "loyalty", *closed, "value", "value_low", "value_high", "p_high_value", "tier_confidence")
    op.create_table(
        "scores",
        sa.Column("customer_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("tier", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        *(sa.Column(name, sa.Double) for name in doubles),
        sa.Column("is_borderline", sa.Boolean),
        *(sa.Column(f"reason_{place}", sa.Text) for place in (1, 2, 3)),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("raw_tier", sa.Text, nullable=False),
        *(sa.Column(name, sa.Double) for name in ("p_order", "orders_if_any", "value_per_order")),
        sa.Column("disagreement", sa.Boolean),
        sa.Column("value_at_risk", sa.Double),
        sa.Column("previous_tier", sa.Text),
        sa.Column("move", sa.Text),
        sa.PrimaryKeyConstraint("customer_id", name="scores_pkey"),
        sqlite_with_rowid=False,
    )
    for name in ("value", "p_churn", "value_at_risk"):
        op.create_index(f"scores_by_{name}", "scores", [name, "customer_id"])
    op.create_index("scores_by_tier", "scores", ["tier", "value_at_risk", "customer_id"])
    moved = sa.text("move IS NOT NULL")
    columns = ["move", "value_at_risk", "customer_id"]
    op.create_index("scores_by_move", "scores", columns, sqlite_where=moved, postgresql_where=moved)


def _keys() -> None:
    op.create_table(
        "keys",
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.Text, nullable=False),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("revoked_at", MOMENT),
        sa.PrimaryKeyConstraint("key_id", name="keys_pkey"),
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("submitted_by", sa.Text, nullable=False),
        sa.Column("submitted_at", MOMENT, nullable=False),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("claim", sa.Text),
        sa.Column("host", sa.Text),
        sa.Column("pid", sa.Integer),
        sa.Column("started_at", MOMENT),
        sa.Column("heartbeat_at", MOMENT),
        sa.Column("finished_at", MOMENT),
        sa.Column("step", sa.Text),
        sa.Column("progress", sa.Double, nullable=False),
        sa.Column("model", sa.Text),
        sa.Column("result", sa.JSON),
        sa.Column("generation_id", sa.Integer),
        sa.Column("error", sa.JSON),
        sa.PrimaryKeyConstraint("job_id", name="jobs_pkey"),
    )
    op.create_index("jobs_by_state", "jobs", ["state", "submitted_at"])
    op.create_index("jobs_by_key", "jobs", ["submitted_by", "idempotency_key"], unique=True)
