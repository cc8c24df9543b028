"""Scores from a PostgreSQL table are those of the file that holds the same rows."""

from __future__ import annotations

from pathlib import Path

from adbc_driver_postgresql import dbapi
from pyarrow import parquet

from tests import scored_tables
from tests.scored_tables import AS_OF
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.features.reading import Sources, presets
from tiercast.serving.batch import identity, scoring
from tiercast.training.train import Trained


def test_a_table_gives_the_scores_of_its_file(trained: Trained, database: str, tmp_path: Path) -> None:
    rows = scored_tables.purchases()
    with dbapi.connect(database) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("orders", rows)
        connection.commit()
    source = f"{database}{'&' if '?' in database else '?'}table=orders"
    scored_tables.score(trained.bundle, scored_tables.write(tmp_path, rows), tmp_path / "file.parquet")
    with DuckDBEngine(threads=1) as engine:
        scoring.score_all(engine, trained.bundle, Sources(source), AS_OF, tmp_path / "table.parquet")
    assert parquet.read_table(tmp_path / "table.parquet").equals(parquet.read_table(tmp_path / "file.parquet"))


def test_a_run_on_a_database_is_never_taken_for_an_earlier_one(trained: Trained) -> None:
    sources = Sources("postgresql://db.example/shop?table=orders")
    first, second = (identity.describe(trained.bundle, sources, None, {}) for _ in range(2))
    assert first != second


def test_another_sheet_or_preset_makes_another_run(trained: Trained, tmp_path: Path) -> None:
    exports = Path(__file__).parents[2] / "features" / "reading" / "exports"
    (tmp_path / "shop.db").write_bytes(b"SQLite format 3\x00")
    olist, own = presets.load("olist"), presets.load("shopify")
    runs = [
        Sources(f"{tmp_path}/shop.db#orders"),
        Sources(f"{tmp_path}/shop.db#others"),
        Sources(str(exports / "olist"), presets=olist),
        Sources(str(exports / "shopify.csv")),
        Sources(str(exports / "shopify.csv"), presets=own),
        Sources(str(exports / "shopify.csv"), presets=own, currency="EUR"),
    ]
    described = [identity.describe(trained.bundle, sources, None, {}) for sources in runs]
    assert all(described.count(each) == 1 for each in described)
    assert identity.describe(trained.bundle, runs[2], None, {}) == described[2]
