"""A challenger against the present champion: is it better, and can that be known at all?

Three cases are names apart.

paired   Both were judged on the same customers over the same days, so their forecasts are compared customer by
         customer. Better means: better beyond noise in the Brier score, the normalised Gini or the MAE, and worse
         beyond noise in none of them.
refresh  The same settings on newer data. The windows differ, and a season moves Brier score and MAE of any model, so
         only what can be compared across windows is: AUC and normalised Gini must not be worse beyond noise. Whether
         the newer window went well is a question of the other gates, against baselines judged on that very window.
apart    Other settings, judged elsewhere: no verdict is possible.

The champion's bundle is never applied to the challenger's window: it may have learned from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from tiercast.training.comparison import differences, kept, side_by_side
from tiercast.training.comparison.differences import Difference
from tiercast.training.comparison.subject import Subject

PAIRED, ACROSS = ("churn_brier", "value_ngini", "value_mae"), ("churn_auc", "value_ngini")
WITHOUT_EFFECT = frozenset({"rolling.threads", "rolling.bootstrap_draws", "tracking.kept_customers", "clv.currency"})
"""Settings that change no forecast."""


class Duel(NamedTuple):
    """How a challenger did. `kind` "first": there is no champion yet; "itself": it is the champion already.

    `why` says why nothing can be compared, and `hint` what would help; both empty elsewhere.
    """

    kind: Literal["first", "itself", "paired", "refresh", "apart"]
    differences: Mapping[str, Difference] = {}
    why: str = ""
    hint: str = ""

    @property
    def is_won(self) -> bool:
        """May the challenger take the title?"""
        verdicts = [each.verdict for each in self.differences.values()]
        if self.kind == "paired":
            return "better" in verdicts and "worse" not in verdicts
        if self.kind == "refresh":
            return bool(verdicts) and "worse" not in verdicts and "unknown" not in verdicts
        return self.kind != "apart"


FIRST, ITSELF = Duel("first"), Duel("itself")


def fight(champion: Subject, challenger: Subject) -> Duel:
    """Compare as far as it is honest; the differences are the challenger's minus the champion's."""
    if champion.run_id == challenger.run_id:
        return ITSELF
    if _is_same_window(champion, challenger):
        found = differences.between(champion, challenger)
        return Duel("paired", {name: found[name] for name in PAIRED if name in found})
    why, hint = _why_apart(champion, challenger)
    return Duel("apart", {}, why, hint) if why else Duel("refresh", differences.apart(champion, challenger, ACROSS))


def _is_same_window(champion: Subject, challenger: Subject) -> bool:
    """Whatever either was judged on, the other was judged on too."""
    judged = {*champion.kept, *challenger.kept}
    return bool(judged) and not any(
        kept.why_not_paired(champion.kept.get(target), challenger.kept.get(target)) for target in judged
    )


def _why_apart(champion: Subject, challenger: Subject) -> tuple[str, str]:
    """Why this is no refresh of the champion, and what would help; empty where it is one."""
    days = [each.params.get("as_of", "") for each in (champion, challenger)]
    if days[1] < days[0]:
        hint = f"train it with --as-of {days[0]} or later; to bring an earlier champion back: tiercast rollback"
        return f"it was trained as of {days[1]}, the champion as of {days[0]}", hint
    changed = _changed(champion, challenger)
    if any(name in changed for name in side_by_side.HORIZONS):
        return "other horizons answer another question", "say why they change: --force --why"
    if changed:
        hint = (
            f"train the champion's settings with --as-of {days[1]} on the same data too and promote that, which is a "
            "refresh; then this run can be compared with it customer by customer"
        )
        return f"judged on other windows, with other settings ({', '.join(changed)})", hint
    return "", ""


def _changed(champion: Subject, challenger: Subject) -> list[str]:
    """Settings that differ and may change a forecast. A setting missing from an old run has today's default."""
    defaults = side_by_side.settings()
    one, other = ({**defaults, **each.params} for each in (champion, challenger))
    names = sorted(name for name in {**one, **other} if side_by_side.is_setting(name))
    return [name for name in names if name not in WITHOUT_EFFECT and one.get(name) != other.get(name)]
