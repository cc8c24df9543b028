"""Who is champion: promotion through the gates, and the way back.

The registered model carries the tag `champion_history`: the versions that were champion, oldest first,
the present one last. Rolling back drops the last and reads the one before, as often as there is one.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import mlflow
from mlflow.exceptions import MlflowException

from contract import errors
from training import gates
from training.gates import Gate, Limits
from training.tracking import log_run, lookup

CHAMPION, CHALLENGER, HISTORY = "champion", "challenger", "champion_history"
MOST_REMEMBERED = 100
LONGEST_TAG = 500


class Promoted(NamedTuple):
    """What is champion now, what was before (None: nothing), and every gate's answer."""

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
    limits: Limits = gates.LIMITS,
) -> Promoted:
    """Make a version (its number or its run's id) the champion if every gate says yes.

    With `force` and a `why`, failed gates are waived and written down as such. Raises `GateRefused`
    with the failed gates, `BadInput` for what is not there or a force without a why.
    """
    chosen = lookup.version(which, name)
    found = gates.check(_card(str(chosen.run_id)), limits)
    waived = gates.failed(found)
    if waived:
        _refuse_unless_forced(waived, len(found), force, why)
    client, version = mlflow.MlflowClient(), str(chosen.version)
    history = _history(name)
    before = history[-1] if history else None
    _tag(name, version, _record(who, why, found, waived))
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
    return RolledBack(earlier[-1], dropped)


def _card(run_id: str) -> Mapping[str, Any]:
    try:
        card: Mapping[str, Any] = mlflow.artifacts.load_dict(f"runs:/{run_id}/{log_run.SCORECARD}")
    except (MlflowException, OSError) as error:
        hint = "its artifacts may have been moved or deleted; train it again with --register"
        raise errors.BadInput("the run's scorecard cannot be read", first=run_id, hint=hint) from error
    return card


def _refuse_unless_forced(failed: list[Gate], of: int, force: bool, why: str | None) -> None:
    if force and why and why.strip():
        return
    if force:
        hint = 'say why: --force --why "..."; it is written down with the version'
        raise errors.BadInput("gates can only be waived with a reason", first=str(failed[0]), hint=hint)
    raise errors.GateRefused(
        "a promotion gate said no",
        count=len(failed),
        total=of,
        unit="gates",
        first="\n  ".join(str(gate) for gate in failed),
        hint='train a better model, or waive them in writing: --force --why "..."',
    )


def _record(who: str, why: str | None, found: list[Gate], waived: list[Gate]) -> dict[str, str]:
    measured = {f"gate_{gate.code}": f"{gate.measured} (required {gate.required})" for gate in found}
    codes = ",".join(gate.code for gate in waived)
    return {"promoted_by": who, "promoted_at": _now(), "why": why or "", "gates_waived": codes, **measured}


def _history(name: str) -> list[str]:
    """The champions so far. One who was made by hand, in MLflow's pages, counts as the newest."""
    model = lookup.registered(name)
    history = [str(version) for version in json.loads(model.tags.get(HISTORY, "[]"))]
    now = model.aliases.get(CHAMPION)
    return history if now is None or history[-1:] == [str(now)] else [*history, str(now)]


def _remember(name: str, history: list[str]) -> None:
    mlflow.MlflowClient().set_registered_model_tag(name, HISTORY, json.dumps(history[-MOST_REMEMBERED:]))


def _still_there(name: str, history: list[str]) -> list[str]:
    """Versions may have been deleted since; nobody can go back to those."""
    known = {str(version.version) for version in lookup.versions(name)}
    return [version for version in history if version in known]


def _tag(name: str, version: str, tags: Mapping[str, str]) -> None:
    client = mlflow.MlflowClient()
    for key, value in tags.items():
        client.set_model_version_tag(name, version, key, value[:LONGEST_TAG])


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
