"""The checks of a watch: each with a number, a measured value and what is required, so that it can be quoted.

W1   features are spread as at training
W2   the churn risk is spread as at training
W3   the value is spread as at training
W4   the data are fresh
W5   as much comes in as usual
W6   no more rows are dropped than at training
W7   a stated risk is what happened
W8   churn was ranked as on the holdout
W9   the total of value was right
W10  value was ranked as on the holdout
W11  value ranges hold at their top

An alarm asks for somebody; a notice is written down; `unknown` could not be measured and says why.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

Level = Literal["quiet", "unknown", "notice", "alarm"]
LEVELS: tuple[Level, ...] = get_args(Level)
Part = Literal["drift", "data", "outcomes"]
PARTS: tuple[Part, ...] = get_args(Part)

TITLES = {
    "W1": "Features are spread as at training",
    "W2": "The churn risk is spread as at training",
    "W3": "The value is spread as at training",
    "W4": "The data are fresh",
    "W5": "As much comes in as usual",
    "W6": "No more rows are dropped than at training",
    "W7": "A stated risk is what happened",
    "W8": "Churn was ranked as on the holdout",
    "W9": "The total of value was right",
    "W10": "Value was ranked as on the holdout",
    "W11": "Value ranges hold at their top",
}


class Check(NamedTuple):
    """The result of one check. `about` names its subject where there may be several, such as the scores of a day."""

    code: str
    level: Level
    measured: str
    required: str
    about: str = ""

    @property
    def title(self) -> str:
        return TITLES[self.code]

    def __str__(self) -> str:
        """The line to quote.

        >>> str(Check("W4", "alarm", "newest row 9 days old", "at most 4 days"))
        'W4 The data are fresh: newest row 9 days old, required at most 4 days: alarm'
        """
        about = f" ({self.about})" if self.about else ""
        return f"{self.code} {self.title}{about}: {self.measured}, required {self.required}: {self.level}"

    def as_dict(self) -> dict[str, str]:
        return {"code": self.code, "title": self.title, **{name: str(cell) for name, cell in self._asdict().items()}}


def worst(levels: Iterable[Level]) -> Level:
    """The gravest of some levels; quiet where there is none.

    >>> worst(["quiet", "alarm", "notice"]), worst([])
    ('alarm', 'quiet')
    """
    return max(levels, key=LEVELS.index, default="quiet")
