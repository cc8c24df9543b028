"""The champion: promotion through the gates, and rollback.

The registered model carries the tag `champion_history`: the versions that were champion, oldest first,
the present one last. Rolling back drops the last and reads the one before, as often as there is one.
The tag `promotions` tells the same to a reader: who, when, why and what was measured, newest first.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import mlflow
from mlflow.exceptions import MlflowException

from tiercast.contract import errors
from tiercast.training.comparison import duel, gates
from tiercast.training.comparison.duel import Duel
from tiercast.training.comparison.gates import Gate
from tiercast.training.judge.limits import LIMITS, QualityLimits
from tiercast.training.tracking import compare, log_run, lookup

CHAMPION, CHALLENGER, HISTORY, LOG = "champion", "challenger", "champion_history", "promotions"
MOST_REMEMBERED = 100
LONGEST_TAG = 500
LONGEST_LOG = 4500
"""Characters of `promotions`; MLflow's table keeps 5,000. The oldest lines are dropped."""


class Promoted(NamedTuple):
    """The champion now, the one before (None: there was none), and the result of every gate."""

    version: str
    run_id: str
    before: str | None
    gates: tuple[Gate, ...]
    waived: tuple[str, ...]


class RolledBack(NamedTuple):
    """`version` is champion again, instead of `dropped`."""

    version: str
    dropped: str


def promote(
    which: str,
    *,
    who: str,
    force: bool = False,
    why: str | None = None,
    name: str = "tiercast",
    limits: QualityLimits = LIMITS,
) -> Promoted:
    """Make a version (its number or its run's id) the champion if every gate passes.

    With `force` and a `why`, failed gates are waived and written down as such. Raises `GateRefused`
    with the failed gates, `BadInput` for what is not there or a force without a why.
    """
    chosen, history = lookup.version(which, name), _history(name)
    before = history[-1] if history else None
    against = _against(str(chosen.run_id), name)
    found = gates.check(_card(str(chosen.run_id)), against, limits)
    waived = gates.failed(found)
    if waived:
        _refuse_unless_forced(waived, len(found), force, why, against.hint)
    client, version = mlflow.MlflowClient(), str(chosen.version)
    _tag(name, version, _record(who, why, found, waived))
    _write_down(name, f"version {version} became champion after {before or 'none'}, by {who}", why, found, waived)
    client.set_registered_model_alias(name, CHAMPION, version)
    _remember(name, history if before == version else [*history, version])
    if CHALLENGER in lookup.aliases(name).get(version, ()):
        client.delete_registered_model_alias(name, CHALLENGER)
    return Promoted(version, str(chosen.run_id), before, tuple(found), tuple(gate.code for gate in waived))


def rollback(why: str, *, who: str, name: str = "tiercast") -> RolledBack:
    """Give the title back to the champion before; again for the one before that. `BadInput` when there is none."""
    history = _history(name)
    if not history:
        hint = "make one with `tiercast promote RUN`"
        raise errors.BadInput("there is no champion to roll back from", first=name, hint=hint)
    dropped, earlier = history[-1], _still_there(name, history[:-1])
    if not earlier:
        hint = "promote another version with `tiercast promote RUN`"
        raise errors.BadInput("there was no champion before this one", first=f"version {dropped}", hint=hint)
    mlflow.MlflowClient().set_registered_model_alias(name, CHAMPION, earlier[-1])
    _remember(name, earlier)
    _tag(name, dropped, {"rolled_back_by": who, "rolled_back_at": _now(), "rolled_back_why": why})
    _write_down(name, f"rolled back from version {dropped} to {earlier[-1]}, by {who}", why)
    return RolledBack(earlier[-1], dropped)


def _against(run_id: str, name: str) -> Duel:
    """The run's duel with the version that is champion now. A champion whose run is gone cannot be compared with."""
    champion = lookup.registered(name).aliases.get(CHAMPION)
    if champion is None:
        return duel.FIRST
    rival = str(lookup.version(str(champion), name).run_id)
    if rival == run_id:
        return duel.ITSELF
    try:
        one, other = compare.subjects([rival, run_id])
    except errors.BadInput as error:
        return Duel("apart", {}, f"the champion's run {rival[:8]}: {error.what}", error.hint)
    return duel.fight(one, other)


def _card(run_id: str) -> Mapping[str, Any]:
    try:
        card: Mapping[str, Any] = mlflow.artifacts.load_dict(f"runs:/{run_id}/{log_run.SCORECARD}")
    except (MlflowException, OSError) as error:
        hint = "its artifacts may have been moved or deleted; train it again with --register"
        raise errors.BadInput("the run's scorecard cannot be read", first=run_id, hint=hint) from error
    return card


def _refuse_unless_forced(failed: list[Gate], of: int, force: bool, why: str | None, hint: str) -> None:
    if force and why and why.strip():
        return
    if force:
        how = 'say why: --force --why "..."; it is written down with the version'
        raise errors.BadInput("gates can only be waived with a reason", first=str(failed[0]), hint=how)
    raise errors.GateRefused(
        "a promotion gate said no",
        count=len(failed),
        total=of,
        unit="gates",
        first="\n  ".join(str(gate) for gate in failed),
        hint=f'{hint or "train a better model"}; or waive in writing: --force --why "..."',
    )


def _record(who: str, why: str | None, found: list[Gate], waived: list[Gate]) -> dict[str, str]:
    measured = {f"gate_{gate.code}": f"{gate.measured} (required {gate.required})" for gate in found}
    codes = ",".join(gate.code for gate in waived)
    return {"promoted_by": who, "promoted_at": _now(), "why": why or "", "gates_waived": codes, **measured}


def _history(name: str) -> list[str]:
    """The champions so far, oldest first. An alias set by hand in MLflow's pages counts as the newest."""
    model = lookup.registered(name)
    history = [str(version) for version in json.loads(model.tags.get(HISTORY, "[]"))]
    now = model.aliases.get(CHAMPION)
    return history if now is None or history[-1:] == [str(now)] else [*history, str(now)]


def _remember(name: str, history: list[str]) -> None:
    mlflow.MlflowClient().set_registered_model_tag(name, HISTORY, json.dumps(history[-MOST_REMEMBERED:]))


def _still_there(name: str, history: list[str]) -> list[str]:
    """Leaves out versions that were deleted since."""
    known = {str(version.version) for version in lookup.versions(name)}
    return [version for version in history if version in known]


def _write_down(name: str, what: str, why: str | None, found: Sequence[Gate] = (), waived: Sequence[Gate] = ()) -> None:
    """Add a line on top of the registered model's log, which MLflow's pages show."""
    measured = "; ".join(f"{gate.code} {gate.measured}" for gate in found)
    parts = [f"{_now()} {what}", why or "no reason given", measured, "waived " + ", ".join(g.code for g in waived)]
    line = " | ".join(part for part in parts if part and part != "waived ").replace("\n", " ")
    log = [line, *lookup.registered(name).tags.get(LOG, "").splitlines()]
    while len("\n".join(log)) > LONGEST_LOG and len(log) > 1:
        log.pop()
    mlflow.MlflowClient().set_registered_model_tag(name, LOG, "\n".join(log)[:LONGEST_LOG])


def _tag(name: str, version: str, tags: Mapping[str, str]) -> None:
    client = mlflow.MlflowClient()
    for key, value in tags.items():
        client.set_model_version_tag(name, version, key, value[:LONGEST_TAG])


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
