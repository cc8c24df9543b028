"""The arrays give what DuckDB gives, to the last bit: on rows as odd as requests may bring them."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable, Mapping
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiercast.features import build
from tiercast.features.engines.arrays import Column, InputTable, Program, UnsupportedOperation, casts
from tiercast.features.engines.arrays import column as columns
from tiercast.features.engines.duckdb import Engine
from tiercast.features.reading import transactions, validation, values
from tiercast.features.spec import Attribute, FeatureSpec
from tiercast.features.tables import Tables

AS_OF = dt.date(2024, 3, 1)
SPEC = FeatureSpec(
    windows=(30, 60, 90, 180),
    season_days=90,
    columns=("product_id", "category", "channel", "quantity"),
    attributes=(Attribute("age", "number"), Attribute("city", "label", ("Rome", "7"))),
    has_joined_on=True,
    contact_kinds=("visit", "complaint"),
    contact_columns=("score", "minutes"),
)
RULES = {
    "transactions": validation.TRANSACTIONS,
    "customers": validation.CUSTOMERS,
    "interactions": validation.INTERACTIONS,
}
TEXT, NUMBER = pa.string(), pa.float64()
SCHEMAS = {
    "transactions": {"customer_id": TEXT, "ordered_at": TEXT, "amount": NUMBER, "product_id": TEXT, "category": TEXT,
                     "channel": TEXT, "quantity": NUMBER, "row": pa.int64()},
    "customers": {"customer_id": TEXT, "joined_on": TEXT, "age": NUMBER, "city": TEXT, "row": pa.int64()},
    "interactions": {"customer_id": TEXT, "occurred_at": TEXT, "kind": TEXT, "score": NUMBER, "minutes": NUMBER,
                     "row": pa.int64()},
}  # fmt: skip
DAYS = ("2023-01-05", "2023-03-10", "2023-11-02", "2024-01-31", "2024-02-28", "2024-02-29", "2024-03-01", "0001-01-01")
CLOCKS = ("", "", "T00:00", " 09:30", "T23:59:59", "T23:59:59.5", "T12:00:00.1234567", " 10:00:00.000000999")
OFFSETS = ("", "", "Z", "+00", "+01:00", "-0230", "+25:00", "-00:30", "+01:75")
ODD_TIMES = (None, "", "  ", "2024-02-30", "31/01/2024", "soon", " 2024-01-31", "2024-01-31 ", "  2024-01-31T10:00 ",
             "2024-01-31T10:00Z ", "2024-1-31", "2024-01-31T24:00", "0000-01-01", "9999-12-31T23:59:59.9999999",
             "2024-01-31\n", "1969-12-31T23:59:59.9999999+00:30", "2024-01-31T10:00:00 Europe/Rome")  # fmt: skip
ODD_NUMBERS = (None, 0.0, -0.0, 1e11, 99_999_999_999.99, -1e300, float("nan"), float("inf"), 0.0000005, 2.5e-6, 1e16)
COUNTED = {pa.timestamp("us"): pa.int64(), pa.date32(): pa.int32()}
IDS = ("a", "b", "c", "é", "日本", "007", "a ", " ", "", None)


def one_of(rng: np.random.Generator, of: tuple[Any, ...], n: int) -> list[Any]:
    return [of[place] for place in rng.integers(0, len(of), n)]


def times(rng: np.random.Generator, n: int, oddity: float) -> list[str | None]:
    """Sometimes all of one kind, as callers write them; sometimes not."""
    some = one_of(rng, CLOCKS, 1) * n if rng.random() < 0.3 else one_of(rng, CLOCKS, n)
    ends = one_of(rng, OFFSETS, 1) * n if rng.random() < 0.3 else one_of(rng, OFFSETS, n)
    plain = [day + clock + (end if clock else "") for day, clock, end in zip(one_of(rng, DAYS, n), some, ends)]
    odd = one_of(rng, ODD_TIMES, n)
    return [o if is_odd else p for p, o, is_odd in zip(plain, odd, rng.random(n) < oddity)]


def numbers(rng: np.random.Generator, n: int, oddity: float) -> list[float | None]:
    plain = np.round(rng.normal(20, 40, n), int(rng.integers(0, 9)))
    odd = one_of(rng, ODD_NUMBERS, n)
    return [o if is_odd else float(p) for p, o, is_odd in zip(plain, odd, rng.random(n) < oddity)]


def tables(seed: int, n: int, oddity: float) -> dict[str, pa.Table]:
    rng = np.random.default_rng(seed)
    ids = IDS[:6] if oddity == 0 else IDS

    def columns(names: Mapping[str, pa.DataType]) -> dict[str, Any]:
        labels = {"kind": ("visit", "complaint", "review") + (("?", None) if oddity else ())}
        return {
            name: np.arange(n) if name == "row"
            else one_of(rng, ids, n) if name == "customer_id"
            else times(rng, n, oddity) if name in ("ordered_at", "occurred_at", "joined_on")
            else numbers(rng, n, oddity) if kind == NUMBER
            else one_of(rng, labels.get(name, ("x", "y", "7", "Rome", " z", " ", None)), n)
            for name, kind in names.items()
        }  # fmt: skip

    made = {table: pa.table(columns(names), pa.schema(list(names.items()))) for table, names in SCHEMAS.items()}
    people = made["customers"].to_pylist()
    once = {row["customer_id"]: row for row in people}  # nobody is in the table of customers twice
    return made | {"customers": pa.Table.from_pylist(list(once.values()), made["customers"].schema)}


def expressions() -> dict[str, ibis.Table]:
    validated: dict[str, ibis.Table] = {}
    for table, names in SCHEMAS.items():
        raw = ibis.table(ibis.Schema.from_pyarrow(pa.schema(list(names.items()))), name=table)
        ours = {name: name for name in names if name not in ("row", "age", "city")}
        validated[table] = validation.validate(validation.parse(raw, table, ours), RULES[table], AS_OF)
    kept = {table: validation.valid_rows(rows) for table, rows in validated.items()}
    people = kept["customers"].select(
        customer_id=kept["customers"].customer_id,
        joined_on=kept["customers"].joined_on.cast("date"),
        age=values.number(kept["customers"]["other_age"], "age").value,
        city=values.label(kept["customers"]["other_city"], "city").value,
    )
    whole = Tables(transactions.canonical(kept["transactions"]), people, kept["interactions"])
    return {**validated, "features": build.build(whole, AS_OF, SPEC)}


@pytest.fixture(scope="module")
def program() -> Program:
    return Program(expressions())


@pytest.fixture(scope="module")
def statements() -> dict[str, str]:
    return {name: str(ibis.to_sql(table, dialect="duckdb")) for name, table in expressions().items()}


def by_duckdb(statements: Mapping[str, str], given: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    with Engine(threads=1) as engine:
        for name, table in given.items():
            engine.con.con.register(name, table)
        return {name: engine.con.con.sql(sql).to_arrow_table() for name, sql in statements.items()}


def whole_numbers(listed: list[int]) -> Column:
    return Column(np.array(listed, int))


def as_given(tables: Mapping[str, pa.Table]) -> dict[str, InputTable]:
    """The same as a request brings it."""
    made: dict[pa.DataType, Callable[[list[Any]], Column]]
    made = {TEXT: columns.from_texts, NUMBER: columns.from_numbers, pa.int64(): whole_numbers}
    return {
        name: InputTable(table.num_rows, {f.name: made[f.type](table[f.name].to_pylist()) for f in table.schema})
        for name, table in tables.items()
    }


def as_arrow(column: Column, wanted: pa.DataType) -> pa.Array:
    """What DuckDB would hand over for these values."""
    mask = None if column.known is None else ~column.known
    if pa.types.is_decimal(wanted):
        scaled = [None if mask is not None and mask[k] else value for k, value in enumerate(column.values.tolist())]
        with decimal.localcontext(prec=50):
            return pa.array([v if v is None else decimal.Decimal(v).scaleb(-wanted.scale) for v in scaled], wanted)
    return pa.array(column.values, wanted, mask=mask, from_pandas=False)


def same(ours: dict[str, Column], theirs: pa.Table, key: str) -> None:
    theirs = theirs.cast(pa.schema([field.with_type(COUNTED.get(field.type, field.type)) for field in theirs.schema]))
    found = pa.table({name: as_arrow(ours[name], theirs.schema.field(name).type) for name in theirs.column_names})
    found, wanted = found.sort_by(key), theirs.sort_by(key)
    for name in wanted.column_names:
        assert bits(found[name]) == bits(wanted[name]), name


def bits(column: pa.ChunkedArray) -> list[Any]:
    listed = column.to_pylist()
    return [value.hex() if isinstance(value, float) else value for value in listed]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.sampled_from([0, 1, 3, 20, 200]), oddity=st.sampled_from([0.0, 0.05, 0.5]))
def test_what_is_read_validated_and_built_is_the_same(
    program: Program, statements: dict[str, str], seed: int, n: int, oddity: float
) -> None:
    made = tables(seed, n, oddity)
    theirs, ours = by_duckdb(statements, made), program.run(as_given(made))
    for table in SCHEMAS:
        same(ours.columns(table), theirs[table], "other_row")
    same(ours.columns("features"), theirs["features"], "customer_id")


def test_ten_thousand_rows_are_the_same(program: Program, statements: dict[str, str]) -> None:
    """Many texts are read in another way than a few."""
    made = tables(7, 10_000, 0.0)
    theirs, ours = by_duckdb(statements, made), program.run(as_given(made))
    for table in SCHEMAS:
        same(ours.columns(table), theirs[table], "other_row")
    same(ours.columns("features"), theirs["features"], "customer_id")
    assert ours.n_rows("features") == 6


def test_many_texts_are_read_as_each_of_them_alone() -> None:
    every = [day + clock + end for day in DAYS for clock in CLOCKS for end in OFFSETS if clock or not end]
    for end in OFFSETS:
        alike = [text for text in every if text.endswith(end)] * 3
        texts = np.array(alike, object)
        assert len(texts) >= columns.FEW
        many = casts.cast(ibis.dtype("string"), ibis.dtype("timestamp"))(Column(texts))
        alone = [casts._parse_time(text) for text in alike]
        known = [True] * len(alike) if many.known is None else many.known.tolist()
        assert [v if k else None for v, k in zip(many.values.tolist(), known, strict=True)] == alone


@pytest.mark.parametrize(
    ("made", "what"),
    [
        (lambda t: t.group_by("k").aggregate(x=t.x.sum()), "sums of floats"),
        (lambda t: t.mutate(y=t.x.ln()), "Ln"),
        (lambda t: t.aggregate(n=t.count()), "without groups"),
        (lambda t: t.mutate(y=t.k.cast("int64")), "no cast"),
        (lambda t: t.order_by("x"), "Sort"),
        (lambda t: t.inner_join(t.view(), "k"), "inner join"),
        (lambda t: t.mutate(y=t.x.rank().over(ibis.window(group_by="k", order_by="x"))), "over a window"),
    ],
)
def test_what_it_does_not_know_is_refused(made: Any, what: str) -> None:
    """Most of it when the expression is compiled; that a column is of floats, only a sum sees."""
    table = ibis.table({"k": "string", "x": "float64"}, name="t")
    with pytest.raises(UnsupportedOperation, match=what):
        Program({"out": made(table)}).run(as_given({"t": pa.table({"k": ["a"], "x": [1.0]})})).columns("out")


def test_the_sum_of_the_largest_amounts_is_exact() -> None:
    """A hundred of them need more than 64 bits."""
    table = ibis.table({"k": "string", "x": "float64"}, name="t")
    exact = table.mutate(x=table.x.cast("decimal(38, 6)"))
    program = Program({"out": exact.group_by("k").aggregate(x=exact.x.sum())})
    given = pa.table({"k": ["a"] * 100, "x": [99_999_999_999.5] * 99 + [-1.25]})
    assert program.run(as_given({"t": given})).column("out", "x").values.tolist() == [
        99 * 99_999_999_999_500_000 - 1_250_000
    ]
