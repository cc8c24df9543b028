"""Start the production server as a process, and wait until it stops. BentoML is started by its command line."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import socket
import subprocess  # our own command line, no shell
import sys
import tempfile
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import NamedTuple

from tiercast.contract import addresses, errors, files
from tiercast.models import bundle_folder
from tiercast.serving.access import audit as record
from tiercast.serving.access import startup
from tiercast.serving.http import limits
from tiercast.serving.jobs import sources, worker
from tiercast.serving.model_manager import cache, source

SERVICE = "tiercast.serving.http.bento:Tiercast"
SECONDS_TO_STOP = 30


class Listening(NamedTuple):
    """A checked address, the environment variables of the service, and a message for the user."""

    address: str
    port: int
    environment: dict[str, str]
    message: str


def prepare(
    host: str,
    port: int,
    *,
    store: str | None = None,
    audit: pathlib.Path | None = None,
    rate: float | None = None,
    workers: int | None = None,
    jobs: pathlib.Path | None = None,
) -> Listening:
    """Check whether the service may listen there, and whether it will require keys: see `access.startup`.

    Raises `BadInput` for an address without keys that others reach, for one that is taken, and for wrong settings.
    """
    address = startup.numeric_address(host)
    has_keys = startup.requires_keys(address, store)
    is_local = not has_keys and startup.is_loopback(address)
    ours = {"TIERCAST_STORE": _absolute(store or ""), startup.LOCAL: "1" if is_local else ""}
    if audit is not None:
        ours["TIERCAST_AUDIT"] = str(audit.resolve())
        record.AuditLog(audit.resolve()).check()
    if rate is not None:
        ours["TIERCAST_RATE"] = str(rate)
    if workers is not None:
        ours["TIERCAST_WORKERS"] = str(workers)
    if jobs is not None:
        ours[sources.VARIABLE] = str(jobs.resolve())
    limits.from_env(os.environ | ours)
    worker.check_environment(os.environ | ours)
    _require_free(address, port)
    return Listening(address, port, ours, _message(address, port, is_local, store))


def run(bundle: pathlib.Path | str, listening: Listening, *, shadow: str | None = None) -> int:
    """Serve a bundle until SIGINT or SIGTERM; the exit code, 0 after such a stop.

    `bundle` is a folder, or as text an alias or version in the registry, which is fetched into the cache; `shadow` is
    another such, to be compared with it. Raises `BundleRefused`, and `BadInput` for a model that cannot be had.
    """
    ours = {"TIERCAST_SHADOW": shadow} if shadow else {}
    if isinstance(bundle, pathlib.Path):
        bundle_folder.load(bundle)
        ours |= {source.FOLDER: str(bundle.resolve())}
    else:
        source.check(source.RegistrySource(bundle, cache.from_env()))
        ours |= {source.FOLDER: "", source.MODEL: bundle, addresses.VARIABLE: addresses.tracking_uri()}
    root = pathlib.Path(__file__).absolute().parents[2]
    command = [sys.executable, "-m", "bentoml", "serve", SERVICE, "--working-dir", str(root)]
    with tempfile.TemporaryDirectory(prefix="tiercast-serve-") as scratch:
        environment = _environment(pathlib.Path(scratch)) | listening.environment | ours
        return _run_server([*command, "--host", listening.address, "--port", str(listening.port)], environment)


def _message(address: str, port: int, is_local: bool, store: str | None) -> str:
    here = f"http://{f'[{address}]' if ':' in address else address}:{port}"
    if is_local:
        why = "the store has no key yet" if store else "there is no --store"
        return f"Listens on {here} without keys, this machine only: {why}."
    plain = "" if startup.is_loopback(address) else " Keys and responses travel in the clear: put TLS in front."
    return f"Listens on {here} for callers with a key.{plain}"


def _absolute(store: str) -> str:
    """The store's address with an absolute path, because the server has a working folder of its own."""
    if "://" not in store:
        return str(pathlib.Path(store).resolve()) if store else ""
    kind, _, place = store.partition(":///")
    is_file = kind in ("sqlite", "sqlite+pysqlite") and place
    return f"{kind}:///{pathlib.Path(place).resolve()}" if is_file else store


def _require_free(address: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except (OSError, OverflowError) as error:
        hint = "stop what listens there, or choose another port: --port 3001"
        raise errors.BadInput(
            f"the port cannot be used: {files.reason(error)}", first=f"{address}:{port}", hint=hint
        ) from error


def _environment(scratch: pathlib.Path) -> dict[str, str]:
    """No telemetry, no files left behind, and one thread per library, so that libraries do not wait for each other."""
    counters = scratch / "metrics"
    counters.mkdir()
    ours = {
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(scratch / "bentoml"),
        "PROMETHEUS_MULTIPROC_DIR": str(counters),
    }
    # BentoML opens a span for every request, which is lost unless an exporter is set up.
    return {"OMP_NUM_THREADS": "1", "OTEL_SDK_DISABLED": "true"} | os.environ | ours


def _run_server(command: list[str], environment: Mapping[str, str]) -> int:
    """Run the server in a group of its own, so that a Ctrl-C reaches it once: from us."""
    with subprocess.Popen(command, env=environment, start_new_session=True) as server:  # noqa: S603  fixed words
        with _forwarding_signals(server) as stopped:
            code = server.wait()
        _end_group(server.pid)
    return 0 if stopped else code


@contextlib.contextmanager
def _forwarding_signals(server: subprocess.Popen[bytes]) -> Iterator[list[int]]:
    """Hand SIGINT and SIGTERM to the server inside the block; yields the list of those that came.

    A server that has not stopped after `SECONDS_TO_STOP` is killed.
    """
    stopped: list[int] = []

    def forward(number: int, _: FrameType | None) -> None:
        stopped.append(number)
        server.send_signal(signal.SIGTERM)
        signal.alarm(SECONDS_TO_STOP)

    def give_up(_: int, __: FrameType | None) -> None:
        server.kill()

    handlers = {signal.SIGINT: forward, signal.SIGTERM: forward, signal.SIGALRM: give_up}
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
