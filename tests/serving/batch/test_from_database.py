"""Scores from a PostgreSQL table are those of the file that holds the same rows."""

from __future__ import annotations

from pathlib import Path

from adbc_driver_postgresql import dbapi
from pyarrow import parquet

from tests import scored_tables
from tests.scored_tables import AS_OF
from tiercast.features.engines.duckdb import Engine
from tiercast.features.reading import Sources
from tiercast.serving.batch import identity, scoring
from tiercast.training.train import Trained


def test_a_table_gives_the_scores_of_its_file(trained: Trained, database: str, tmp_path: Path) -> None:
    rows = scored_tables.purchases()
    with dbapi.connect(database) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("orders", rows)
        connection.commit()
    source = f"{database}{'&' if '?' in database else '?'}table=orders"
    scored_tables.score(trained.bundle, scored_tables.write(tmp_path, rows), tmp_path / "file.parquet")
    with Engine(threads=1) as engine:
        scoring.score_all(engine, trained.bundle, Sources(source), AS_OF, tmp_path / "table.parquet")
    assert parquet.read_table(tmp_path / "table.parquet").equals(parquet.read_table(tmp_path / "file.parquet"))


def test_a_run_on_a_database_is_never_taken_for_an_earlier_one(trained: Trained) -> None:
    sources = Sources("postgresql://db.example/shop?table=orders")
    first, second = (identity.describe(trained.bundle, sources, None, {}) for _ in range(2))
    assert first != second
