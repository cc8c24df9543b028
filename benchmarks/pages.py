"""Writing measured numbers into Markdown pages, between two marks, so that the prose around them stays.

>>> page = "Before.\\n<!-- speed: begin -->\\nold\\n<!-- speed: end -->\\nAfter.\\n"
>>> print(between(page, "speed", ["new", "numbers"]), end="")
Before.
<!-- speed: begin -->
<BLANKLINE>
new
numbers
<BLANKLINE>
<!-- speed: end -->
After.
"""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

ROOT = pathlib.Path(__file__).resolve().parents[1]
QUALITY, RESULTS = ROOT / "docs" / "quality.md", ROOT / "benchmarks" / "RESULTS.md"
TUNING, SCALE = ROOT / "docs" / "tuning.md", ROOT / "docs" / "scale.md"


def refresh(page: pathlib.Path, name: str, lines: Sequence[str]) -> None:
    """Replace what stands between the marks of `name`. Raises ValueError when the page has no such marks."""
    page.write_text(between(page.read_text(encoding="utf-8"), name, lines), encoding="utf-8")


def between(text: str, name: str, lines: Sequence[str]) -> str:
    """The text with new lines between `<!-- name: begin -->` and `<!-- name: end -->`."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, opened, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not opened or not closed:
        raise ValueError(f"the page has no marks {begin} and {end}")
    return "\n".join([before + begin, "", *lines, "", end + after])
