"""Check that the tables have the columns that a bundle was trained on.

Other columns are allowed and not read.
"""

from __future__ import annotations

from collections.abc import Iterator

import ibis

from tiercast.contract import errors
from tiercast.features.spec import MARGIN, ORDER_COUNT, FeatureSpec
from tiercast.features.tables import Tables

OPTIONS = {"customers": "--customers", "interactions": "--interactions"}


def require(spec: FeatureSpec, tables: Tables) -> None:
    """Raise `BundleRefused`, a line per missing (-) or changed (!) column, where features cannot be built.

    >>> from tiercast.features.tables import Tables
    >>> orders = ibis.table({"customer_id": "string", "amount": "decimal(18, 6)"}, name="orders")
    >>> require(FeatureSpec(windows=(30,)), Tables(orders))
    >>> try:
    ...     require(FeatureSpec(windows=(30,), columns=("category",), has_joined_on=True), Tables(orders))
    ... except errors.BundleRefused as refused:
    ...     print(refused)
    BundleRefused: 2 of 2 columns: the bundle was trained with columns that are not there
    First: transactions.category
      - transactions.category
      - customers.joined_on (no such table given)
    Hint: pass the tables that the bundle was trained on, here with --customers, or train a new bundle on these
    """
    _refuse_new_money(spec, tables)
    _refuse_new_unit(spec, tables)
    wanted = list(_wanted(spec))
    wrong = [(table, name, how) for table, name, is_number in wanted if (how := _fault(tables, table, name, is_number))]
    if not wrong:
        return
    absent = sorted({OPTIONS[table] for table, _, _ in wrong if getattr(tables, table) is None})
    raise errors.BundleRefused(
        "the bundle was trained with columns that are not there",
        count=len(wrong),
        total=len(wanted),
        unit="columns",
        first="\n  ".join([f"{wrong[0][0]}.{wrong[0][1]}", *(how for _, _, how in wrong)]),
        hint=f"pass the tables that the bundle was trained on{_here(absent)}, or train a new bundle on these",
    )


def _refuse_new_money(spec: FeatureSpec, tables: Tables) -> None:
    """Money is the margin where one is given: a bundle trained on amounts must not read margins."""
    if MARGIN in tables.transactions.columns and MARGIN not in spec.columns:
        raise errors.BundleRefused(
            "the bundle was trained on amounts, and these transactions have margins, which would be taken for money",
            first="transactions.margin",
            hint="leave the margin column out, or train a new bundle with it",
        )


def _refuse_new_unit(spec: FeatureSpec, tables: Tables) -> None:
    """A bundle that was trained on money forecasts money, and one that was trained on orders forecasts orders."""
    is_counted = ORDER_COUNT in tables.transactions.columns
    if is_counted != spec.counts_orders:
        trained, here = ("amounts", "orders") if is_counted else ("orders", "amounts")
        raise errors.BundleRefused(
            f"the bundle was trained on {trained}, and these transactions are read as {here}",
            first="--amount none" if is_counted else "transactions.amount",
            hint=f"{'leave out' if is_counted else 'pass'} --amount none, or train a new bundle on {here}",
        )


def _here(options: list[str]) -> str:
    return f", here with {' and '.join(options)}" if options else ""


def _wanted(spec: FeatureSpec) -> Iterator[tuple[str, str, bool]]:
    """Table, column, and whether the column must be numeric."""
    yield from (("transactions", name, False) for name in spec.columns)
    yield from (("customers", "joined_on", False) for _ in range(spec.has_joined_on))
    yield from (("customers", a.name, a.kind == "number") for a in spec.attributes)
    yield from (("interactions", "kind", False) for _ in spec.contact_kinds[:1])
    yield from (("interactions", name, False) for name in spec.contact_columns if spec.contact_kinds)


def _fault(tables: Tables, table: str, name: str, is_number: bool) -> str:
    """The difference of a column as a line; empty where there is none."""
    given: ibis.Table | None = getattr(tables, table)
    if given is None:
        return f"- {table}.{name} (no such table given)"
    if name not in given.columns:
        return f"- {table}.{name}"
    if is_number and not given[name].type().is_numeric():
        return f"! {table}.{name} (of numbers at training, now {given[name].type()})"
    return ""
