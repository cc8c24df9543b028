"""`tiercast serve`: the BentoML service, on this machine or, with keys, for others too."""

from __future__ import annotations

import pathlib
import sys
from typing import Annotated

import typer

from tiercast.commands import grouping, options
from tiercast.terminal import console
from tiercast.workflows import bundles


def add_to(app: typer.Typer) -> None:
    app.command(epilog="Example: tiercast serve --bundle out/bundle --port 3000")(grouping.expand(serve))


def serve(
    bundle: options.BundleOptions,
    shadow: Annotated[
        str | None, typer.Option("--shadow", help="Registered model to compare with, such as challenger; only logged.")
    ] = None,
    store: options.Store = None,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; any but loopback needs a store with a live key.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")] = 3000,
    audit: Annotated[
        pathlib.Path | None,
        typer.Option("--audit", help="Append the audit log to this file instead of stderr."),
    ] = None,
    rate: Annotated[
        float | None, typer.Option("--rate", help="Requests per second, key and worker; 0 for no limit (default 200).")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, help="Processes, each with its own bundle (default 1)."),
    ] = None,
    jobs: Annotated[
        pathlib.Path | None,
        typer.Option("--jobs", help="Sources that callers may have scored as batch jobs, as TOML; needs --store."),
    ] = None,
) -> None:
    """Answer score requests over HTTP with one bundle, until stopped."""
    from tiercast.serving import launch

    bundles.require_one(bundle.bundle, bundle.model)
    listening = launch.prepare(host, port, store=store, audit=audit, rate=rate, workers=workers, jobs=jobs)
    console.print_note(listening.message)
    sys.exit(launch.run(bundle.bundle or bundle.model or "", listening, shadow=shadow))
