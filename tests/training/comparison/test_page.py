from __future__ import annotations

import base64
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.training.comparison.conftest import Pair
from tiercast.contract import errors
from tiercast.training.comparison import page, side_by_side
from tiercast.training.comparison.side_by_side import Comparison
from tiercast.training.comparison.subject import Subject

LEADS_AWAY = ("src", "href", "srcset", "poster", "data", "action")


class Reader(HTMLParser):
    """Everything in a page that a browser would fetch or show."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.aims: list[str] = []
        self.texts: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.opened.append(tag)
        self.aims += [value or "" for name, value in attrs if name in LEADS_AWAY]
        if tag == "img":
            self.images.append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        self.closed.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def subjects(pair: Pair) -> Sequence[Subject]:
    return pair.subjects


@pytest.fixture(scope="module")
def found(subjects: Sequence[Subject]) -> Comparison:
    return side_by_side.compare(subjects)


@pytest.fixture(scope="module")
def text(found: Comparison, subjects: Sequence[Subject]) -> str:
    return page.render(found, subjects)


def test_the_page_fetches_nothing(text: str) -> None:
    read = Reader(text)
    assert read.aims
    assert all(aim.startswith("data:image/png;base64,") for aim in read.aims)
    assert not {"script", "link", "iframe", "object", "embed", "base"} & set(read.opened)
    assert not [words for words in ("http:", "https:", "url(", "@import") if words in text]


def test_every_tag_that_is_opened_is_closed(text: str) -> None:
    read = Reader(text)
    empty = {"meta", "img", "br", "hr"}
    assert sorted(tag for tag in read.opened if tag not in empty) == sorted(read.closed)


def test_the_pictures_are_pictures_and_told_to_those_who_cannot_see_them(text: str) -> None:
    images = Reader(text).images
    assert len(images) == 5  # reliability, deciles, gain, weekly, migration
    for image in images:
        assert image["alt"]
        drawn = base64.b64decode((image["src"] or "").partition(",")[2], validate=True)
        assert drawn.startswith(b"\x89PNG")


def test_it_can_be_read_in_the_dark(text: str) -> None:
    assert "prefers-color-scheme: dark" in text
    assert '<meta name="color-scheme" content="light dark">' in text


def test_the_page_says_what_the_comparison_says(text: str, found: Comparison) -> None:
    said = " ".join(Reader(text).texts)
    (against,) = found.against
    assert against.tiers is not None
    assert f"{against.tiers.changed:,} of {against.tiers.customers:,} customers" in said
    assert f"{against.differences['churn_brier'].value:+.4f}" in said
    assert "trees.num_leaves" in said
    assert all(caveat in said for caveat in found.caveats)


def test_what_a_parameter_holds_cannot_become_part_of_the_page(subjects: Sequence[Subject]) -> None:
    evil = "<script>alert(1)</script>"
    one, other = subjects
    other = other._replace(params={**other.params, "clv.currency": evil})
    text = page.render(side_by_side.compare([one, other]), [one, other])
    assert evil not in text
    assert evil in Reader(text).texts


def test_runs_that_kept_nothing_have_a_page_without_pictures(subjects: Sequence[Subject]) -> None:
    bare = [each._replace(kept={}, weekly=None, windows=(), grades={}) for each in subjects]
    text = page.render(side_by_side.compare(bare), bare)
    assert Reader(text).images == []
    assert "a run keeps no forecasts" in text


def test_a_page_that_cannot_be_written_is_said(subjects: Sequence[Subject], found: Comparison, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    with pytest.raises(errors.CannotWrite, match="--html"):
        page.write(found, subjects, tmp_path / "file" / "page.html")
