"""A PostgreSQL table is read like the file that it could be exported to."""

from __future__ import annotations

import datetime
import pathlib
import threading

import psycopg
import pyarrow as pa
import pytest
from psycopg import sql
from pyarrow import parquet

from tests.make_tables import AS_OF
from tests.read_tables import rows
from tiercast.contract import errors
from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.features.reading import matching
from tiercast.features.reading.copies import postgres

ORDERS = """
    CREATE SCHEMA sales;
    CREATE TABLE sales."Orders" (
        "CustomerID" uuid, placed timestamptz, amount numeric(12, 2), paid money, channel text, kind char(8), note jsonb
    );
    INSERT INTO sales."Orders" VALUES
        ('00000000-0000-0000-0000-000000000007', '2024-02-28 23:30+01', 12.50, '$1,000.25', 'web', 'new', '{}'),
        ('00000000-0000-0000-0000-000000000007', '2024-02-29 00:30+01', -2.505, '$1.00', 'shop', 'old', NULL),
        (NULL, '2024-01-02 10:00+00', 3, '$3.00', NULL, NULL, NULL)
"""
COLUMNS = {"customer_id": "CustomerID", "ordered_at": "placed"}


def filled(address: str) -> str:
    with psycopg.connect(address) as connection:
        connection.execute(ORDERS)
    return with_table(address, "sales.Orders")


def with_table(address: str, table: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}table={table}"


def copied(source: str, columns: dict[str, str], folder: pathlib.Path) -> str:
    sources = reading.Sources(source, columns=columns)
    return postgres.copy(source, matching.chooser("transactions", sources), folder / "orders.parquet")


def test_a_table_gives_the_rows_that_its_export_gives(database: str, tmp_path: pathlib.Path) -> None:
    table = filled(database)
    exported = tmp_path / "orders.csv"
    with psycopg.connect(database) as connection, connection.cursor() as cursor, exported.open("wb") as file:
        query = sql.SQL('COPY (SELECT "CustomerID", placed, amount, channel FROM sales."Orders") TO STDOUT CSV HEADER')
        with cursor.copy(query) as parts:
            file.writelines(bytes(part) for part in parts)
    assert rows(table, columns=COLUMNS) == rows(str(exported), columns=COLUMNS)
    assert [row["customer_id"][-1] for row in rows(table, columns=COLUMNS)] == ["7", "7"]


def test_money_is_units_and_not_cents(database: str) -> None:
    found = rows(filled(database), columns=COLUMNS | {"amount": "paid"})
    assert sorted(float(row["amount"]) for row in found) == [1.0, 1000.25]


def test_rows_without_an_id_are_counted_as_in_a_file(database: str) -> None:
    with DuckDBEngine() as engine:
        report = reading.read(engine, reading.Sources(filled(database), columns=COLUMNS), AS_OF).report
    assert (report.transactions.rows_read, report.transactions.rows_kept) == (3, 2)


def test_a_customers_table_brings_its_attributes(database: str) -> None:
    orders = filled(database)
    with psycopg.connect(database) as connection:
        connection.execute("""
            CREATE TYPE plan AS ENUM ('basic', 'gold');
            CREATE TABLE people (customer_id uuid, joined_on date, plan plan, age int, iban varchar);
            INSERT INTO people VALUES ('00000000-0000-0000-0000-000000000007', '2023-01-01', 'gold', 41, 'x')""")
    given = reading.Sources(
        orders, with_table(database, "people"), columns=COLUMNS | {"customers.customer_id": "customer_id"}
    )
    with DuckDBEngine() as engine:
        people = reading.read(engine, given, AS_OF).tables.customers
        assert people is not None
        (row,) = engine.con.to_pyarrow(people).to_pylist()
    assert (row["joined_on"], row["plan"], row["age"]) == (datetime.date(2023, 1, 1), "gold", 41)


def test_only_the_columns_that_are_needed_leave_the_database(database: str, tmp_path: pathlib.Path) -> None:
    path = copied(filled(database), COLUMNS, tmp_path)
    assert parquet.read_schema(path).names == ["CustomerID", "placed", "amount", "channel"]


def test_a_copy_sees_one_state_while_others_write(database: str, tmp_path: pathlib.Path) -> None:
    """Each transaction of the writer adds two rows, so that half of one would be an odd number."""
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE orders (customer_id int, ordered_at date, amount int)")
        connection.execute("INSERT INTO orders SELECT n, '2024-01-01', 1 FROM generate_series(1, 200000) n")
    stop = threading.Event()

    def write() -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            while not stop.is_set():
                connection.execute("INSERT INTO orders VALUES (1, '2024-01-02', 1), (2, '2024-01-02', 1)")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        path = copied(with_table(database, "orders"), {}, tmp_path)
    finally:
        stop.set()
        writer.join()
    n_rows = parquet.read_metadata(path).num_rows
    assert n_rows >= 200_000
    assert n_rows % 2 == 0


def test_a_large_table_is_copied_in_batches(
    database: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE orders (customer_id text, ordered_at date, amount float8)")
        connection.execute(
            "INSERT INTO orders SELECT repeat('x', 90) || n, '2024-01-01', 1 FROM generate_series(1, 500000) n"
        )
    sizes: list[int] = []
    write = parquet.ParquetWriter.write_table

    def weigh(file: parquet.ParquetWriter, table: pa.Table) -> None:
        sizes.append(table.nbytes)
        write(file, table)

    monkeypatch.setattr(parquet.ParquetWriter, "write_table", weigh)
    copied(with_table(database, "orders"), {}, tmp_path)
    assert len(sizes) > 2
    assert max(sizes) < sum(sizes) / 2


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("sales.orders", "does not exist"),
        ('sales."Orders"; DROP TABLE sales."Orders"', "cross-database references"),
        ("sales.Orders&table=other", "2 tables"),
        ("", "0 tables"),
    ],
)
def test_a_table_that_is_not_there_is_refused(database: str, table: str, message: str) -> None:
    filled(database)
    with DuckDBEngine() as engine, pytest.raises(errors.SourceUnreadable, match=message):
        reading.read(engine, reading.Sources(with_table(database, table), columns=COLUMNS), AS_OF)
    with psycopg.connect(database) as connection:
        assert connection.execute('SELECT count(*) FROM sales."Orders"').fetchone() == (3,)


def test_a_server_that_is_not_there_is_refused_without_the_password() -> None:
    source = "postgresql://tier:geheim@127.0.0.1:1/shop?table=orders"
    with DuckDBEngine() as engine, pytest.raises(errors.SourceUnreadable) as refused:
        reading.read(engine, reading.Sources(source), AS_OF)
    assert refused.value.first == "postgresql://127.0.0.1:1/shop?table=orders"
    assert "geheim" not in str(refused.value)


def test_an_error_about_the_rows_names_the_source_without_the_password(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE orders (customer_id text, ordered_at date, amount text)")
        connection.execute("INSERT INTO orders VALUES ('a', '2024-03-01', '1')")
    with DuckDBEngine() as engine, pytest.raises(errors.NothingKnown) as refused:
        reading.read(engine, reading.Sources(with_table(database, "orders")), AS_OF)
    assert "postgres:@" not in str(refused.value)


def test_a_type_that_arrow_has_not_comes_as_text(database: str, tmp_path: pathlib.Path) -> None:
    path = copied(filled(database), COLUMNS, tmp_path)
    kinds = dict(zip(parquet.read_schema(path).names, parquet.read_schema(path).types, strict=True))
    assert kinds["CustomerID"] == kinds["amount"] == kinds["channel"] == pa.string()
    assert kinds["placed"] == pa.timestamp("us", "UTC")


def test_a_padded_text_comes_without_its_padding(database: str, tmp_path: pathlib.Path) -> None:
    path = copied(filled(database), COLUMNS | {"channel": "kind"}, tmp_path)
    assert parquet.read_table(path)["kind"].to_pylist()[:2] == ["new", "old"]
