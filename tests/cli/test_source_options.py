from __future__ import annotations

import pytest

from tiercast.commands.options import SourceOptions
from tiercast.contract import errors


def test_duplicates_are_kept_unless_they_are_dropped_by_an_option() -> None:
    assert SourceOptions("orders.parquet").sources().duplicates == "keep"
    assert SourceOptions("orders.parquet", duplicates="drop").sources().duplicates == "drop"


def test_another_word_for_duplicates_is_refused_with_the_known_ones() -> None:
    with pytest.raises(errors.BadInput) as caught:
        SourceOptions("orders.parquet", duplicates="delete").sources()
    assert str(caught.value).splitlines() == [
        "BadInput: --duplicates is not known",
        "First: delete",
        "Hint: one of: keep, drop",
    ]
