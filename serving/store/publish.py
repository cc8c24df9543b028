"""Publishing a score file: load it beside the served generation, then switch to it in one transaction.

Readers see the old generation or the new one. A publish that is killed changes nothing that readers see; the next
one removes its partial generation.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import sqlalchemy as sa
from pyarrow import parquet
from sqlalchemy.engine import Engine

from tiercast.contract import errors, files, scores
from tiercast.features.engines.duckdb import Engine as DataEngine
from tiercast.features.reading import score_reader, sources
from tiercast.features.reading.score_reader import ScoreFile
from tiercast.serving.batch import totals
from tiercast.serving.batch.totals import Totals
from tiercast.serving.store import bulk_load, database, generations, migrations, publish_lock, tables, tier_moves
from tiercast.serving.store.generations import Generation
from tiercast.tiers.moves import Matrix

SLICE = 1 << 15
MEMORY = "512MB"  # for sorting; beyond it, the data engine uses disk
PARTS = 20
STEPS = PARTS + 3
OnStep = Callable[[str], None]


class Published(NamedTuple):
    """`is_new` is false if the same file is served already; `pruned` and `swept` are ids of deleted generations."""

    generation: Generation
    is_new: bool
    pruned: list[int]
    swept: list[int]


class LoadedRows(NamedTuple):
    """The facts about a score file that are known once all its rows are loaded."""

    model: str
    totals: Totals
    moves: Matrix | None


def publish(
    engine: Engine,
    path: str,
    *,
    keep: int = generations.KEEP,
    force: bool = False,
    memory: str = MEMORY,
    on_step: OnStep = lambda _: None,
) -> Published:
    """Serve the scores in `path`, and keep the `keep` newest generations. Raises `BadInput` and its subclasses.

    Scores of an earlier day than the served ones are refused without `force`. Publishing the served file again changes
    nothing. `on_step` is called `STEPS` times with the name of the step.
    """
    migrations.prepare(engine)
    with publish_lock.held(engine), DataEngine(memory=memory, threads=1) as data:
        swept = generations.sweep(engine)
        with database.read_transaction(engine) as connection:
            served = generations.served_in(connection)
        file = score_reader.open_scores(data, path, scores.NAMES[1:], check_duplicates=False)
        sha256 = _sha256(path)
        if served is not None and served.sha256 == sha256:
            return Published(served, is_new=False, pruned=[], swept=swept)
        _refuse_older(file, served, force=force)
        on_step("sorting")
        sorted_rows = data.store("sorted", file.table.order_by("customer_id"))
        n = int(data.con.execute(sorted_rows.count()))
        _refuse_empty(file, n)
        published = _load_and_switch(engine, data, file, sha256, n, served, on_step)
        pruned = generations.prune(engine, keep)
        return Published(published, is_new=True, pruned=pruned, swept=swept)


def _load_and_switch(
    engine: Engine, data: DataEngine, file: ScoreFile, sha256: str, n: int, served: Generation | None, on_step: OnStep
) -> Generation:
    """The new generation, complete and served. Any error deletes it."""
    new = _begin(engine, file, sha256, n, served)
    try:
        base = served if served is not None and _is_comparable(file, served) else None
        loaded = _load(engine, data, file, new, n, base, on_step)
        on_step("indexes")
        _index(engine, new)
        on_step("switching")
        return _switch(engine, new, loaded, served)
    except BaseException:
        generations.delete(engine, new)
        raise


def _begin(engine: Engine, file: ScoreFile, sha256: str, n: int, served: Generation | None) -> int:
    """Insert the generation's row and create its table in one transaction: neither ever exists alone."""
    row = {
        "state": tables.LOADING,
        "previous_id": None if served is None else served.id,
        "as_of": file.as_of,
        "model": file.model,
        "currency": file.currency,
        "churn_days": file.churn_days,
        "value_days": file.value_days,
        "n_customers": n,
        "started_at": dt.datetime.now(dt.UTC),
        "sha256": sha256,
        "columns": list(tables.COLUMNS),
        "notes": scores.about(parquet.read_schema(sources.find(file.path).paths[0])),
    }
    with database.write_transaction(engine) as connection:
        insert = tables.generations.insert().values(row).returning(tables.generations.c.id)
        new = int(connection.execute(insert).scalar_one())
        connection.execute(sa.schema.CreateTable(tables.scores_table(new)))
        return new


def _load(
    engine: Engine, data: DataEngine, file: ScoreFile, new: int, n: int, before: Generation | None, on_step: OnStep
) -> LoadedRows:
    """Load all rows in slices sorted by id, each in a transaction of its own: no other writer waits long."""
    table, comparison, seen = tables.scores_table(new), tier_moves.MoveComparison(engine, before), totals.EMPTY
    constants: dict[str, Any] = {"as_of": file.as_of, "model": None}
    last_id: str | None = None
    for rows in _slices(data, n, on_step):
        valid = bulk_load.validated(rows, file.path)
        constants = {name: bulk_load.constant(valid, name, value, file.path) for name, value in constants.items()}
        last_id = bulk_load.last_id(valid, last_id, file.path)
        columns = bulk_load.columns(valid, file.path)
        columns |= comparison.columns(columns)
        with database.write_transaction(engine) as connection:
            bulk_load.insert(connection, table, columns)
        seen = totals.add(seen, valid)
    comparison.finish(SLICE)
    return LoadedRows(constants["model"], seen, comparison.matrix)


def _slices(data: DataEngine, n: int, on_step: OnStep) -> Iterator[pa.Table]:
    """The sorted rows; `on_step` is called for each twentieth of them."""
    n_done, n_parts = 0, 0
    for rows in data.slices("sorted", SLICE):
        part = math.floor(PARTS * n_done / n)
        for _ in range(n_parts, part + 1):
            on_step(f"{n_done:,} of {n:,} customers")
        n_parts = max(n_parts, part + 1)
        yield rows
        n_done += rows.num_rows


def _index(engine: Engine, new: int) -> None:
    """Create each index in a transaction of its own, and collect the planner's statistics."""
    table = tables.scores_table(new)
    for index in sorted(table.indexes, key=lambda each: str(each.name)):
        with database.write_transaction(engine) as connection:
            index.create(connection)
    with database.write_transaction(engine) as connection:
        connection.execute(_analyze(table))


def _analyze(table: sa.Table) -> sa.Executable:
    statement: sa.Executable = sa.DDL("ANALYZE %(fullname)s").against(table)  # type: ignore[no-untyped-call]
    return statement


def _switch(engine: Engine, new: int, loaded: LoadedRows, served: Generation | None) -> Generation:
    """Complete and serve the generation in one transaction. Raises `StoreBusy` if it or the served one has changed."""
    rows, matrix = loaded.totals.rows(), loaded.moves
    row = {
        "state": tables.READY,
        "model": loaded.model,
        "value_total": math.fsum(row.value_total or 0.0 for row in rows),
        "published_at": dt.datetime.now(dt.UTC),
        "grid": {
            "tiers": [each._asdict() for each in rows],
            "borderline": loaded.totals.n_borderline,
            "disagreement": loaded.totals.disagreement(),
        },
        "moves": None if matrix is None else {k: v.tolist() for k, v in matrix._asdict().items()},
    }
    g = tables.generations
    with database.write_transaction(engine) as connection:
        done = connection.execute(g.update().where(g.c.id == new, g.c.state == tables.LOADING).values(row))
        if done.rowcount != 1 or generations.served_in(connection) != served:
            raise _overtaken(engine, new)
        generations.switch_to(connection, new)
        return generations.current_in(connection)


def _is_comparable(file: ScoreFile, served: Generation) -> bool:
    theirs = (served.currency, served.churn_days, served.value_days)
    return (file.currency, file.churn_days, file.value_days) == theirs


def _sha256(path: str) -> str:
    """The hash of a file; of a day's folder, of its files' hashes in the order of their names."""
    hashes = [files.sha256(Path(file)) for file in sources.find(path).paths]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def _refuse_older(file: ScoreFile, served: Generation | None, *, force: bool) -> None:
    if served is None or force or file.as_of >= served.as_of:
        return
    raise errors.BadInput(
        "the scores are of an earlier day than those served",
        first=f"{file.path}: as of {file.as_of}; generation {served.id}: as of {served.as_of}",
        hint="publish newer scores, go back with tiercast generations --rollback, or insist with --force",
    )


def _refuse_empty(file: ScoreFile, n: int) -> None:
    if not n:
        hint = "score a base with customers first"
        raise errors.BadInput("there is nobody in the scores", first=file.path, hint=hint)


def _overtaken(engine: Engine, new: int) -> errors.StoreBusy:
    what = f"somebody else changed the store while generation {new} was loaded, so it was taken back"
    return errors.StoreBusy(what, first=database.display_url(engine), hint="publish again")
