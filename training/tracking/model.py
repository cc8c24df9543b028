"""The bundle as an MLflow model: a folder of JSON and text, and the name of the module that loads it."""

from __future__ import annotations

import contextlib
import importlib.metadata
import pathlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import mlflow
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

from tiercast.contract import scores
from tiercast.models import bundle_folder
from tiercast.models.bundle import Bundle

CHALLENGER = "challenger"
LOADER = "tiercast.serving.pyfunc"
NEEDS = ("tiercast", *(library for library in bundle_folder.LIBRARIES if library != "tiercast"), "pandas", "pyarrow")
TYPES = {"string": "string", "date32": "string", "double": "double", "bool": "boolean", "list<string>": "string"}


class Logged(NamedTuple):
    """`version` is None when the model was not registered."""

    bundle: Bundle
    model_uri: str
    version: str | None


def log(bundle: Bundle, folder: pathlib.Path, tags: dict[str, str], *, register: bool) -> Logged:
    """Write the bundle to `folder` with its run (and version) inside, and log that folder under the active run.

    A version is reserved before the bundle is written, so that every score can name it; it is taken
    back if the model cannot be logged.
    """
    name = bundle.about.name
    shell = mlflow.initialize_logged_model(name=name, tags=tags)
    with _version(name, shell, tags) if register else contextlib.nullcontext() as version:
        final = bundle._replace(about=bundle.about._replace(version=version or ""))
        bundle_folder.save(final, folder)
        mlflow.pyfunc.log_model(
            name=name,
            model_id=shell.model_id,
            loader_module=LOADER,
            data_path=str(folder),
            signature=signature(final),
            input_example=(example(final), {"reasons": True}),
            pip_requirements=[f"{library}=={importlib.metadata.version(library)}" for library in NEEDS],
        )
    return Logged(final, shell.model_uri, version)


def signature(bundle: Bundle) -> ModelSignature:
    """Features as doubles and perhaps the customer in; the contract's columns out, flat."""
    taken = [ColSpec(DataType.double, name) for name in bundle.spec.names]
    who = ColSpec(DataType.string, "customer_id", required=False)
    given = [ColSpec(TYPES[c.type], c.name, required=c.name != "customer_id") for c in scores.SCORES]
    params = [ParamSpec("reasons", DataType.boolean, True), ParamSpec("as_of", DataType.string, "")]
    return ModelSignature(Schema([*taken, who]), Schema([*given]), ParamSchema(params))


def example(bundle: Bundle) -> pd.DataFrame:
    """Two made-up customers: every feature at its median, and at its upper quartile, over all buyers."""
    middle = {name: bundle.reference[name].quantiles if name in bundle.reference else () for name in bundle.spec.names}
    rows = {n: [q[len(q) // 2], q[3 * len(q) // 4]] if q else [np.nan, np.nan] for n, q in middle.items()}
    return pd.DataFrame(rows, dtype=np.float64).assign(
        customer_id=pd.Series(["median", "upper-quartile"], dtype=object)
    )


@contextlib.contextmanager
def _version(name: str, shell: Any, tags: dict[str, str]) -> Iterator[str]:
    client = mlflow.MlflowClient()
    with contextlib.suppress(MlflowException):  # it is there already, from an earlier run
        client.create_registered_model(name, description="Customer tiers: value, churn risk, why and how sure.")
    run = shell.source_run_id
    made = client.create_model_version(name, shell.model_uri, run, tags=tags, model_id=shell.model_id)
    try:
        yield str(made.version)
    except BaseException:
        client.delete_model_version(name, made.version)
        raise
    client.set_registered_model_alias(name, CHALLENGER, made.version)
