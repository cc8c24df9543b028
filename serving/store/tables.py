"""The tables of the store: one schema for SQLite and PostgreSQL.

    generations   one row per published score file: its metadata, its columns, its totals and moves
    pointer       one row: which generation is served now
    scores_17     one row per customer of generation 17
    keys          one row per key of the service
    jobs          one row per batch job

Each generation has a table of its own. Loading it touches no page or lock that a reader needs, its indexes are built
once and in order, and deleting it is a DROP. (Partitions of one PostgreSQL table would do the same, but dropping one
locks them all.) `as_of` and `model` are the same in every row of a score file, so they are kept once per generation.

A generation's table keeps the columns of the version that published it; `generations.columns` lists them. A column
that was added to the contract later is null when an older generation is read, so a new column needs no migration.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from tiercast.contract import scores as contract
from tiercast.contract.scores import ScoreColumn

ONCE = ("as_of", "model")
REASONS = ("reason_1", "reason_2", "reason_3")
LOADING, READY = "loading", "ready"


class Utc(sa.types.TypeDecorator[dt.datetime]):
    """A moment in UTC. SQLite has no time zones: there the zone is dropped when writing and added when reading."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        return None if value is None else value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None or value.tzinfo is not None:
            return value if value is None else value.astimezone(dt.UTC)
        return value.replace(tzinfo=dt.UTC)


metadata = sa.MetaData(
    naming_convention={"pk": "%(table_name)s_pkey", "fk": "%(table_name)s_%(column_0_name)s_fkey"},
)
ORDERED_BY_BYTES = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Ids in the same order on both databases, whatever the language of the server."""

generations = sa.Table(
    "generations",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("previous_id", sa.Integer),  # the one served when this one came; it may be pruned by now
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("churn_days", sa.Integer, nullable=False),
    sa.Column("value_days", sa.Integer, nullable=False),
    sa.Column("n_customers", sa.BigInteger, nullable=False),
    sa.Column("value_total", sa.Double),
    sa.Column("started_at", Utc, nullable=False),
    sa.Column("published_at", Utc),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("notes", sa.JSON, nullable=False),  # the metadata of the score file
    sa.Column("grid", sa.JSON),
    sa.Column("moves", sa.JSON),
    sa.Column("columns", sa.JSON),  # of its table, in order
    sqlite_autoincrement=True,  # a number is never used again, so a cursor never means another generation
)

pointer = sa.Table(
    "pointer",
    metadata,
    sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("generation_id", sa.Integer, sa.ForeignKey("generations.id")),
    sa.Column("switched_at", Utc),
)

keys = sa.Table(
    "keys",
    metadata,
    sa.Column("key_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("secret_hash", sa.Text, nullable=False),
    sa.Column("roles", sa.Text, nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("expires_at", Utc),
    sa.Column("revoked_at", Utc),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("options", sa.JSON, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # queued, running, cancelling, done, failed, cancelled
    sa.Column("submitted_by", sa.Text, nullable=False),
    sa.Column("submitted_at", Utc, nullable=False),
    sa.Column("idempotency_key", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("claim", sa.Text),  # the process that holds this claim, and no other, may change the row
    sa.Column("host", sa.Text),
    sa.Column("pid", sa.Integer),
    sa.Column("started_at", Utc),
    sa.Column("heartbeat_at", Utc),
    sa.Column("finished_at", Utc),
    sa.Column("step", sa.Text),
    sa.Column("progress", sa.Double, nullable=False),
    sa.Column("model", sa.Text),
    sa.Column("result", sa.JSON(none_as_null=True)),
    sa.Column("generation_id", sa.Integer),
    sa.Column("error", sa.JSON(none_as_null=True)),
    sa.Index("jobs_by_state", "state", "submitted_at"),
    sa.Index("jobs_by_key", "submitted_by", "idempotency_key", unique=True),
)


def _score_columns() -> list[sa.Column[Any]]:
    """The contract's columns as the store keeps them: reasons in three columns, so that both databases can filter."""
    kept = [column for column in contract.SCORES if column.name not in ONCE]
    found: list[sa.Column[Any]] = []
    for column in kept:
        found += [sa.Column(name, sa.Text) for name in REASONS] if column.name == "reasons" else [_column(column)]
    ours = [sa.Column("value_at_risk", sa.Double), sa.Column("previous_tier", sa.Text), sa.Column("move", sa.Text)]
    return [*found, *ours]


def _column(column: ScoreColumn) -> sa.Column[Any]:
    if column.name == "customer_id":
        return sa.Column(column.name, ORDERED_BY_BYTES, primary_key=True)
    kinds: dict[str, type[sa.types.TypeEngine[Any]]] = {"string": sa.Text, "double": sa.Double, "bool": sa.Boolean}
    return sa.Column(column.name, kinds[column.type], nullable=column.null_when != "never")


SORTED = ("value", "p_churn", "value_at_risk")
COLUMNS = tuple(column.name for column in _score_columns())
"""The columns of a generation that is published now, in the order in which queries return them."""


@cache
def scores_table(generation_id: int) -> sa.Table:
    """The table of a generation with today's columns. The same object for every call: SQLAlchemy caches by it.

    `value_at_risk` is value × p_churn; `previous_tier` and `move` (null: stayed) compare with the generation before.
    Every sort has its index; so do one tier's customers by value at risk, and the few who moved.
    """
    name, into = f"scores_{int(generation_id)}", sa.MetaData(naming_convention=metadata.naming_convention)
    table = sa.Table(name, into, *_score_columns(), sqlite_with_rowid=False)
    for sort in SORTED:
        sa.Index(f"{name}_by_{sort}", table.c[sort], table.c.customer_id)
    sa.Index(f"{name}_by_tier", table.c.tier, table.c.value_at_risk, table.c.customer_id)
    moved = table.c.move.is_not(None)
    sa.Index(
        f"{name}_by_move", table.c.move, table.c.value_at_risk, table.c.customer_id,
        sqlite_where=moved, postgresql_where=moved,
    )  # fmt: skip
    return table


@cache
def scores_of(generation_id: int, columns: tuple[str, ...]) -> sa.FromClause:
    """The rows of a generation in `COLUMNS`, null for those that are not among its own `columns`."""
    table = scores_table(generation_id)
    if set(COLUMNS) <= set(columns):
        return table
    selected = [c if c.name in columns else sa.cast(sa.null(), c.type).label(c.name) for c in table.c]
    return sa.select(*selected).subquery(table.name)
