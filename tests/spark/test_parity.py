"""Spark and DuckDB say the same of the same files: what was read, what is known, what happened next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import small_training
from tests.spark import shop
from tests.spark.alike import assert_alike
from tiercast.features import build, labels, reading
from tiercast.features.engines import Engine, duckdb
from tiercast.features.reading import Sources
from tiercast.features.spec import FeatureSpec
from tiercast.features.tables import Tables
from tiercast.models.bgnbd import BgNbd
from tiercast.training.btyd import counts, fit_both
from tiercast.training.check import readiness
from tiercast.training.judge import weekly
from tiercast.training.windows import fingerprint, spec_choice

Make = Callable[[Path], Sources]


def cdnow(folder: Path) -> Sources:
    return Sources(str(small_training.every_sixteenth_customer(folder / "cdnow.parquet")))


SHOPS: dict[str, tuple[Make, dt.date]] = {
    "real": (cdnow, small_training.AS_OF),
    "simulated": (shop.typed, shop.AS_OF),
    "text": (shop.written, shop.AS_OF),
}


@pytest.fixture(scope="module", params=SHOPS)
def both(request: Any, spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Both engines with the same shop read by each, and the day."""
    from tiercast.features.engines.spark import Engine as Spark

    make, as_of = SHOPS[request.param]
    sources = make(tmp_path_factory.mktemp("shop"))
    with Spark() as wide, duckdb.Engine(threads=1) as narrow:
        yield wide, narrow, reading.read(wide, sources, as_of), reading.read(narrow, sources, as_of), as_of


def stored(engine: Engine, tables: Tables) -> Tables:
    return tables._replace(transactions=engine.store("known", tables.transactions))


def spec_of(engine: Engine, tables: Tables, as_of: dt.date) -> FeatureSpec:
    return spec_choice.choose(engine, tables, (as_of - dt.timedelta(500), as_of), (30, 60, 90, 180), 90)


def test_the_report_is_equal_to_the_last_offender(both: Any) -> None:
    _, _, wide, narrow, _ = both
    assert wide.report == narrow.report


def test_every_canonical_row_is_equal(both: Any) -> None:
    spark, duck, wide, narrow, _ = both
    for name in Tables._fields:
        found, wanted = (getattr(each.tables, name) for each in (wide, narrow))
        if wanted is None:
            assert found is None
            continue
        tables = [engine.con.to_pyarrow(table) for engine, table in ((spark, found), (duck, wanted))]
        assert_alike(tables[0], tables[1], by=None)


def test_every_feature_every_label_and_the_closed_form_fitted_on_them_are_equal(both: Any) -> None:
    spark, duck, wide, narrow, as_of = both
    specs = [spec_of(spark, wide.tables, as_of), spec_of(duck, narrow.tables, as_of)]
    assert specs[0] == specs[1]
    cut = as_of - dt.timedelta(90)
    found, fits = [], []
    for engine, read in ((spark, wide), (duck, narrow)):
        tables = stored(engine, read.tables)
        known = build.build(tables, cut, specs[0])
        after = labels.labels(tables, cut, 60, 90)
        found.append((engine.con.to_pyarrow(known), engine.con.to_pyarrow(after)))
        fits.append(fit_both.fit(counts.statistics(engine, known), "bgnbd"))
    assert fits[0] == fits[1]
    for one, other in zip(*found, strict=True):
        assert one.num_rows > 100
        assert_alike(one, other)


def test_what_check_and_the_fingerprint_say_is_equal(both: Any) -> None:
    spark, duck, wide, narrow, as_of = both
    told = []
    for engine, read in ((spark, wide), (duck, narrow)):
        tables = stored(engine, read.tables)
        found = readiness.check(engine, tables, read.report, as_of, None, 90)
        track = weekly.track(engine, tables, as_of - dt.timedelta(90), 90, BgNbd(0.24, 30.0, 0.8, 2.4))
        told.append((found.as_dict(), fingerprint.digest(engine, tables), [list(part) for part in track[:3]]))
    assert told[0] == told[1]
