"""`tiercast serve`: the BentoML service on this machine."""

from __future__ import annotations

import pathlib
import sys
import tempfile
from typing import Annotated

import typer

from tiercast import options
from tiercast.commands import score


def add_to(app: typer.Typer) -> None:
    app.command(epilog="Example: tiercast serve --bundle out/bundle --port 3000")(serve)


def serve(
    bundle: options.Bundle = None,
    model: options.Model = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen on; only loopback is allowed.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on.")] = 3000,
) -> None:
    """Answer score requests over HTTP with one bundle, until stopped."""
    from models import bundle_folder
    from serving import launch

    loaded = score.load(bundle, model)
    if bundle is not None:
        sys.exit(launch.run(bundle, host, port))
    with tempfile.TemporaryDirectory(prefix="tiercast-") as folder:
        place = pathlib.Path(folder, "bundle")
        bundle_folder.save(loaded, place)
        sys.exit(launch.run(place, host, port))
