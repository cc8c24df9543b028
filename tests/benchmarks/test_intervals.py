from __future__ import annotations

from benchmarks import intervals


def test_what_is_out_of_bounds_is_bold() -> None:
    assert intervals._above(0.131) == "**13.1 %**"
    assert intervals._above(0.07) == "7.0 %"
    assert intervals._above(None) == "–"
