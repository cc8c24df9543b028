"""The pages: every link leads somewhere, decisions are numbered, the first page says what it must."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.repo import tree

LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
REFERENCE = re.compile(r"^\[[^\]]+\]:\s+(\S+)", re.MULTILINE)
FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1\s*$", re.MULTILINE | re.DOTALL)
CODE_SPAN = re.compile(r"`[^`\n]*`")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)


def prose(page: Path) -> str:
    """A page without its code, where brackets mean something else."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> list[str]:
    text = CODE_SPAN.sub("", prose(page))
    targets = LINK.findall(text) + REFERENCE.findall(text)
    return [target for target in targets if not re.match(r"[a-z][a-z0-9+.-]*:", target)]


def anchors(page: Path) -> set[str]:
    """The fragment of each heading, as forges make it: lower case, no punctuation, hyphens for spaces."""
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(prose(page)))
    return {heading.strip().replace(" ", "-") for heading in kept}


def broken(page: Path, target: str, root: Path = tree.ROOT) -> bool:
    path, _, fragment = target.partition("#")
    aim = (page.parent / path).resolve() if path else page
    if not aim.exists() or not aim.is_relative_to(root):
        return True
    return bool(fragment) and aim.suffix == ".md" and fragment not in anchors(aim)


@pytest.mark.parametrize("page", tree.pages(), ids=tree.name)
def test_every_relative_link_of_a_page_leads_somewhere(page: Path) -> None:
    assert not [target for target in links(page) if broken(page, target)]


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A head, twice\n[gone](gone.md) [here](#a-head-twice) `[code](x.md)`\n[away](https://example.org)\n"
    )
    assert links(page) == ["gone.md", "#a-head-twice"]
    assert [broken(page, target, tmp_path) for target in links(page)] == [True, False]


def decisions() -> list[Path]:
    return sorted(
        path for path in tree.pages() if path.parent == tree.ROOT / "docs" / "decisions" and path.stem[0].isdigit()
    )


def test_decisions_are_numbered_one_after_the_other() -> None:
    numbers = [path.name[:4] for path in decisions()]
    assert numbers == [f"{count:04}" for count in range(1, len(numbers) + 1)]


def test_every_decision_tells_context_choice_price_and_what_would_change_our_mind() -> None:
    assert decisions()
    for path in decisions():
        headings = " | ".join(HEADING.findall(path.read_text(encoding="utf-8"))).lower()
        for part in ("context", "choice", "price", "change our mind"):
            assert part in headings, f"{path.name} does not tell its {part}"


def test_the_first_page_shows_how_to_begin_and_what_to_distrust() -> None:
    readme = (tree.ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in readme
    assert "distrust" in readme.lower()
