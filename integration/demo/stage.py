"""The stage: the simulated tenant and the whole product as processes of their own, with temporary data."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from integration.config import Settings
from integration.demo.outside import Outside
from integration.errors import PodsError
from integration.language import lazy
from integration.serve import stop_processes
from integration.tools import Tools

START_SECONDS = 40.0  # on a busy machine with nothing in its file cache
PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH", "SYSTEMROOT")


@dataclass(frozen=True)
class Stage:
    """What the demonstration acts on: the tools of the product, and the world outside."""

    tools: Tools
    outside: Outside
    product_url: str
    tenant_url: str


@contextmanager
def stage(
    *, people: int, seed: int, starts_at: datetime, record: Path | None, ports: tuple[int, int] | None
) -> Iterator[Stage]:
    """Start everything; when the block ends every process has ended and the data is gone.

    ``ports`` are those of the product and the tenant; None: free ones. Raises PodsError when something does not
    start.
    """
    product_port, tenant_port = ports or (_free_port(), _free_port())
    _refuse_taken(product_port, tenant_port)
    with ExitStack() as closing:
        folder = Path(closing.enter_context(TemporaryDirectory(prefix="learning-pods-", dir=_in_memory())))
        clock_file = folder / "clock"
        processes: list[subprocess.Popen[bytes]] = []
        closing.callback(lambda: stop_processes(processes[::-1]))
        tenant_url = f"http://127.0.0.1:{tenant_port}"
        arguments = ["--port", str(tenant_port), "--people", str(people), "--seed", str(seed)]
        arguments += ["--clock-file", str(clock_file), "--starts-at", f"{starts_at:%Y-%m-%dT%H:%M}"]
        if record:
            record.parent.mkdir(parents=True, exist_ok=True)
            arguments += ["--record", str(record)]
        log = closing.enter_context((folder / "tenant.txt").open("w+b"))
        quiet = closing.enter_context(
            Path(os.devnull).open("wb")
        )  # what is said on standard error is for the visitor
        environ = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        processes.append(_start("simulator", arguments, environ, out=log, errors=quiet))
        _wait_for(f"{tenant_url}/control/state", processes[-1])
        environ |= _tenant_settings(folder / "tenant.txt")
        environ |= _product_settings(folder, clock_file, product_port)
        processes.append(_start("serve", [], environ, out=quiet, errors=None))
        product_url = f"http://127.0.0.1:{product_port}"
        _wait_for(f"{product_url}/healthz", processes[-1])
        tools = Tools.from_settings(Settings.from_environment(environ))
        closing.callback(tools.close)
        outside = Outside(tenant_url)
        closing.callback(outside.close)
        yield Stage(tools, outside, product_url, tenant_url)


def _product_settings(folder: Path, clock_file: Path, port: int) -> dict[str, str]:
    return {
        "DATA_DIR": str(folder / "data"),
        "CLOCK_FILE": str(clock_file),
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "LOG_LEVEL": "WARNING",
        # Weeks pass in seconds: a sweep an hour would be most of what happens, and a mail every two seconds too.
        "SWEEP_MINUTES": "1440",
        "MAILS_PER_MINUTE": "600",
    }


def _tenant_settings(printed: Path) -> dict[str, str]:
    """The settings that the simulator prints for whoever wants to connect to it."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        lines = [line.partition("=") for line in printed.read_text(encoding="utf-8").splitlines()]
        found = {name: value for name, sign, value in lines if sign and name.isupper()}
        if "SENDER_MAILBOXES" in found:
            return found
        time.sleep(0.02)
    raise PodsError(
        lazy("The simulator does not say how to reach it."), remedy=lazy("Look at %(file)s.", file=str(printed))
    )


def _start(
    command: str, arguments: list[str], environ: dict[str, str], *, out: object, errors: object
) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-u", "-m", "integration.cli", command, *arguments]
    return subprocess.Popen(line, env=environ, stdout=out, stderr=errors, start_new_session=True)  # type: ignore[call-overload]


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    with httpx.Client(timeout=1) as client:  # one for all tries: each reads the certificates that this machine trusts
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise PodsError(
                    lazy("What should answer at %(url)s has ended.", url=url),
                    remedy=lazy("Its messages stand above."),
                )
            with suppress(httpx.TransportError):
                if client.get(url).status_code == httpx.codes.OK:
                    return
            time.sleep(0.05)
    raise PodsError(
        lazy("Nothing answers at %(url)s.", url=url), remedy=lazy("Is the port free, and the machine not overloaded?")
    )


def _in_memory() -> str | None:
    """A folder in memory where there is one: the play's data is thrown away, so nothing is gained by a disk."""
    folder = "/dev/shm"
    return folder if os.access(folder, os.W_OK | os.X_OK) else None


def _refuse_taken(*ports: int) -> None:
    """What answers on a port already would be taken for ours."""
    for port in ports:
        with socket.socket() as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind(("127.0.0.1", port))
            except OSError as error:
                raise PodsError(
                    lazy("Port %(port)s is taken.", port=port),
                    remedy=lazy(
                        "End what listens there (another demonstration?), or use --no-serve: it takes free ports."
                    ),
                ) from error


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]
