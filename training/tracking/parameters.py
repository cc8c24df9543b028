"""The parameters of a run for MLflow, flat: its settings and the fitted numbers of the closed forms."""

from __future__ import annotations

from typing import Any, NamedTuple

from tiercast.models.stack import MEMBERS, Stack
from tiercast.training.settings import flat
from tiercast.training.train import Trained


def collect(trained: Trained) -> dict[str, Any]:
    """Settings by their dotted name (`horizons.churn_days`), then what was chosen and fitted."""
    first_on, as_of = trained.span
    return {
        **trained.settings.of_training(),
        "data": trained.data,
        "first_on": first_on.isoformat(),
        "as_of": as_of.isoformat(),
        "n_customers": len(trained.final.now.features),
        "n_features": len(trained.bundle.spec.names),
        **_chosen(trained),
        "orders.model": trained.final.orders.model,
        **flat({f"{model}_gain": gain for model, gain in trained.final.orders.gain.items()}, "orders."),
        **_fitted(trained.final.orders.model, trained.closed_form.orders),
        **_fitted("gamma_gamma", trained.closed_form.money),
        **flat(trained.closed_form.independence.as_dict(), "gamma_gamma.independence_"),
    }


def _chosen(trained: Trained) -> dict[str, Any]:
    churn, value, cuts = trained.final.churn, trained.final.value, trained.bundle.cuts
    return {
        "churn.folds": churn.n_folds,
        **_weights("churn", churn.model.stack),
        "churn.season_shift": churn.model.shift,
        "value.folds": value.n_folds,
        **_weights("value", value.model.stack),
        "value.level_rule": value.level.rule,
        "value.level": value.model.level,
        **flat(cuts._asdict(), "cuts."),
    }


def _weights(model: str, stack: Stack) -> dict[str, float]:
    """How much each member of a stack counts."""
    return dict(zip((f"{model}.weight_{name}" for name in MEMBERS), stack.weights, strict=True))


def _fitted(model: str, fit: Any) -> dict[str, Any]:
    """Parameters with their standard errors, the log-likelihood and the note of the fit."""
    errors: NamedTuple | None = fit.standard_errors
    found = {f"{model}.{name}": value for name, value in fit.params._asdict().items()}
    spread = {f"{model}.{name}_se": value for name, value in errors._asdict().items()} if errors else {}
    rest = {"log_likelihood": fit.log_likelihood, "n_customers": fit.n_customers, "note": fit.note}
    return {**found, **spread, **flat(rest, f"{model}.")}
