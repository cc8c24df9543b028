"""Forecasts on rolling days: public sets and simulated worlds, the model beside every plain rule.

    python -m benchmarks rolling      # TIERCAST_ROLLING=FOLDER keeps the features for the next run

On each day the whole procedure runs on what was known, and is held against the windows that began then. For every
measure the rival is the plain rule that was best in hindsight, which nobody could have picked beforehand. "Worse" and
"better" mean that the 95 % interval of the paired gain over customers (200 bootstrap draws) leaves out 0; how much
luck there is between days, the table of days shows.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import tempfile

from benchmarks.rolling import cases, measure, tables
from benchmarks.rolling.measure import Report


def markdown(report: Report = lambda _: None) -> list[str]:
    """Every case there is, measured and laid out."""
    kept = os.environ.get("TIERCAST_ROLLING")
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(kept or stack.enter_context(tempfile.TemporaryDirectory(prefix="tiercast-bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        found, missing = cases.gather(folder)
        return tables.markdown(measure.measure(found, folder, report), missing)
