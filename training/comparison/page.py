"""A comparison as one page: everything it needs, pictures too, is inside the file."""

from __future__ import annotations

import base64
import io
import pathlib
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import NamedTuple

import jinja2
from matplotlib.figure import Figure

from tiercast.contract import files
from tiercast.training.comparison import wording
from tiercast.training.comparison.side_by_side import Comparison
from tiercast.training.comparison.subject import Subject
from tiercast.training.plots import compared


class Picture(NamedTuple):
    """`source` is a data URI; `words` is its alternative text."""

    source: str
    words: str


def write(found: Comparison, subjects: Sequence[Subject], path: pathlib.Path) -> None:
    """Write the page. Raises `CannotWrite`; what was there before stays until the new page is whole."""
    text = render(found, subjects)
    hint = "pass --html a file in a folder you may write to"
    with files.write_atomically(path, subject="the page", hint=hint) as part:
        part.write_text(text, encoding="utf-8")


def render(found: Comparison, subjects: Sequence[Subject]) -> str:
    """The page as text. Every value is escaped, for parameters may hold anything."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.globals |= {"say": wording}
    source = resources.files("tiercast.training.comparison").joinpath("page.html").read_text(encoding="utf-8")
    pictures = {name: _picture(drawn, words) for name, drawn, words in _figures(found, subjects)}
    return environment.from_string(source).render(c=found, pictures=pictures, sections=wording.sections(found.metrics))


def _figures(found: Comparison, subjects: Sequence[Subject]) -> Iterator[tuple[str, Figure, str]]:
    """(name, figure, words) of what the runs kept enough for."""
    rows = {
        target: {
            wording.short(each.run_id): (kept.forecast, kept.actual)
            for each in subjects
            if (kept := each.kept.get(target)) is not None
        }
        for target in ("churn", "value")
    }
    if rows["churn"]:
        yield "reliability", compared.reliability(rows["churn"]), "Stated churn risk against the share that churned"
        yield "gain", compared.gain(rows["churn"]), "Share of churners found by the length of the contact list"
    if rows["value"]:
        yield "deciles", compared.deciles(rows["value"]), "Mean value brought and forecast by tenth of the ranking"
    weekly = {wording.short(each.run_id): each.weekly for each in subjects if each.weekly is not None}
    if weekly:
        yield "weekly", compared.weekly(weekly), "Orders per week, as they happened and as expected"
    for against in found.against:
        tiers = against.tiers
        if tiers is not None:
            counts = {(move.before, move.after): move.customers for move in tiers.moves}
            names = (wording.short(found.run_ids[0]), wording.short(against.run_id))
            yield against.run_id, compared.migration(counts, tiers.letters, names), "Customers by tier before and after"


def _picture(drawn: Figure, words: str) -> Picture:
    """Without a background, so that the page's own, light or dark, shows through."""
    written = io.BytesIO()
    drawn.savefig(written, format="png", transparent=True)
    return Picture(f"data:image/png;base64,{base64.b64encode(written.getvalue()).decode('ascii')}", words)
