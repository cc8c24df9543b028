"""Start the service's production server and stay with it until it stops. Knows no BentoML: it starts its command."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import pathlib
import signal
import socket
import subprocess  # our own command line, no shell
import sys
import tempfile
from collections.abc import Iterator, Mapping
from types import FrameType

from contract import errors
from models import bundle_folder

SERVICE = "serving.service.service:Tiercast"
SECONDS_TO_STOP = 30


def run(bundle: pathlib.Path, host: str, port: int) -> int:
    """Serve `bundle` until SIGINT or SIGTERM; the exit code, 0 after such a stop.

    Raises `BundleRefused`, and `BadInput` for an address that is not loopback (there are no keys yet) or is taken.
    """
    address = _loopback(host)
    _refuse_taken(address, port)
    bundle_folder.load(bundle)
    root = pathlib.Path(__file__).resolve().parents[1]
    command = [sys.executable, "-m", "bentoml", "serve", SERVICE, "--working-dir", str(root)]
    with tempfile.TemporaryDirectory(prefix="tiercast-serve-") as scratch:
        environment = _environment(bundle.resolve(), pathlib.Path(scratch))
        return _stay_with([*command, "--host", address, "--port", str(port)], environment)


def _loopback(host: str) -> str:
    """The address in numbers, as BentoML wants it."""
    address = "127.0.0.1" if host == "localhost" else host
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(address).is_loopback:
            return address
    raise errors.BadInput(
        "the service has no keys yet, so it listens on this machine only",
        first=f"--host {host}",
        hint="leave --host out, and put a reverse proxy that asks for a key in front of 127.0.0.1",
    )


def _refuse_taken(address: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except (OSError, OverflowError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        hint = "stop what listens there, or choose another port: --port 3001"
        raise errors.BadInput(f"the port cannot be used: {reason}", first=f"{address}:{port}", hint=hint) from error


def _environment(bundle: pathlib.Path, scratch: pathlib.Path) -> dict[str, str]:
    """No one is told, nothing is left behind, and no library starts threads that the others would wait for."""
    counters = scratch / "metrics"
    counters.mkdir()
    ours = {
        "TIERCAST_BUNDLE": str(bundle),
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(scratch / "bentoml"),
        "PROMETHEUS_MULTIPROC_DIR": str(counters),
    }
    return {"OMP_NUM_THREADS": "1"} | os.environ | ours


def _stay_with(command: list[str], environment: Mapping[str, str]) -> int:
    """Run the server in a group of its own, so that a Ctrl-C reaches it once: from us."""
    with subprocess.Popen(command, env=environment, start_new_session=True) as server:  # noqa: S603  fixed words
        with _passing_on(server) as stopped:
            code = server.wait()
        _end_group(server.pid)
    return 0 if stopped else code


@contextlib.contextmanager
def _passing_on(server: subprocess.Popen[bytes]) -> Iterator[list[int]]:
    """Hand SIGINT and SIGTERM to the server inside the block; yields the list of those that came.

    A server that has not stopped after `SECONDS_TO_STOP` is killed.
    """
    stopped: list[int] = []

    def pass_on(number: int, _: FrameType | None) -> None:
        stopped.append(number)
        server.send_signal(signal.SIGTERM)
        signal.alarm(SECONDS_TO_STOP)

    def give_up(_: int, __: FrameType | None) -> None:
        server.kill()

    handlers = {signal.SIGINT: pass_on, signal.SIGTERM: pass_on, signal.SIGALRM: give_up}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield stopped
    finally:
        signal.alarm(0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_group(leader: int) -> None:
    """Workers whose parent died without them would keep the port."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
