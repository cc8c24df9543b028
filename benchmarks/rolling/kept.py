"""Features of every day computed once and kept in a folder, so that another variant of the procedure costs its fits.

What is kept has all labels and the columns of every window. A day's procedure gets the columns that its own history
supports, and `Snapshots.until` opens the labels again that were not known on that day.
"""

from __future__ import annotations

import copy
import datetime as dt
import hashlib
import pathlib

import numpy as np
from pyarrow import parquet

from benchmarks.rolling.cases import Case
from tiercast.features import build, labels, reading
from tiercast.features.engines.duckdb import Engine
from tiercast.features.spec import FeatureSpec
from tiercast.training.btyd import counts
from tiercast.training.settings import Settings
from tiercast.training.windows import spec_choice
from tiercast.training.windows.snapshots import OUTCOMES, Snapshots, _Facts


class KeptSnapshots(Snapshots):
    """Snapshots whose features and labels are read from a folder, and written there where they are new.

    `wide` has the columns that are kept, `spec` those that are used.
    """

    folder: pathlib.Path
    wide: FeatureSpec

    def until(self, day: dt.date) -> KeptSnapshots:
        earlier = copy.copy(self)
        earlier.known_until = day
        return earlier

    def by(self, model: str) -> KeptSnapshots:
        other = copy.copy(self)
        other.model, other._too_little = model, set(self._too_little)
        return other

    def _facts_of(self, as_of: dt.date) -> _Facts:
        if as_of not in self._facts:
            path = self._path(as_of)
            table = parquet.read_table(path)
            features = table.select(self.spec.names).to_pandas().astype(np.float64)
            churned, value, orders = (table[name].to_numpy().astype(np.float64) for name in OUTCOMES)
            counted = counts.statistics(self.engine, self.engine.con.read_parquet(str(path)))
            self._facts[as_of] = _Facts(table["customer_id"], features, counted, (churned, value, orders))
        return self._facts[as_of]

    def _path(self, as_of: dt.date) -> pathlib.Path:
        path = self.folder / f"{as_of}.parquet"
        if not path.exists():
            known = build.build(self.tables, as_of, self.wide)
            joined = known.inner_join(labels.labels(self.tables, as_of, *self.horizons.both), "customer_id")
            self.folder.mkdir(parents=True, exist_ok=True)
            parquet.write_table(self.engine.con.to_pyarrow(joined.order_by("customer_id")), path)
        return path


def history(engine: Engine, case: Case, day: dt.date, settings: Settings, folder: pathlib.Path) -> KeptSnapshots:
    """The case's history with the features that a training as of `day` would choose; labels are closed."""
    read = reading.read(engine, case.sources, case.ends, is_counted=False)
    first_on = read.report.first_on
    spec = spec_choice.for_day(engine, read.tables, first_on, day, settings)
    found = KeptSnapshots(engine, read.tables, (first_on, case.ends), spec, settings.horizons)
    found.wide = wide_spec(spec, settings)
    found.folder = folder / _key(case, found.wide)
    return found


def wide_spec(spec: FeatureSpec, settings: Settings) -> FeatureSpec:
    """All windows that any day may choose, and last year's columns."""
    every = {*settings.rolling.feature_windows, 7, 14}
    return spec._replace(windows=tuple(sorted(every)), season_days=settings.horizons.value_days)


def _key(case: Case, wide: FeatureSpec) -> str:
    content = repr((case.name, case.sources, case.ends, case.horizons, wide))
    return f"{case.name.replace(' ', '_')}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
