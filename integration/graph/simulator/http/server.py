"""Serving the tenant: cheroot with keep-alive and threads, in the background or for a command."""

import json
import socket
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click
from cheroot import wsgi
from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.workers.threadpool import ThreadPool
from flask import Flask

from ..clock import MovableClock
from ..delivery_faults import read_delivery_fault
from ..faults import BadFault, Faults, read_fault
from ..seed import build_tenant
from ..tenant.tenant import Tenant
from .app import create_simulator
from .delivery import Delivery
from .record import Recorder
from .validation_tokens import ValidationTokens

THREADS = 6
MOST_THREADS = 64
"""Held requests keep theirs, so there may be many more than two cores would need."""
IDLE_SECONDS = 0.02
"""How long the server sleeps between looks at its own stop sign; cheroot's half a second makes tests wait."""


@dataclass(frozen=True)
class Certificate:
    """PEM files for TLS."""

    certificate: Path
    key: Path


class Gateway(wsgi.Gateway_10):
    """Lends the app a way to cut the connection, for faults that drop an exchange."""

    def get_environ(self) -> dict[str, object]:
        connection = self.req.conn

        def cut() -> None:
            connection.linger = False
            try:
                connection.socket.shutdown(socket.SHUT_RDWR)
            except OSError:  # the client was quicker
                return

        return {**super().get_environ(), "simulator.cut": cut}


class Pool(ThreadPool):
    """As many threads as are needed at once, and none that must be waited for: connections queue until then."""

    def grow(self, amount: int) -> None:
        self._threads.extend(self._spawn_worker() for _ in range(amount))  # type: ignore[attr-defined]

    def put(self, obj: object) -> None:
        if self.idle <= self._queue.qsize() and len(self._threads) < MOST_THREADS:  # type: ignore[attr-defined]
            self.grow(1)
        super().put(obj)


class SimulatorServer:
    """A running simulator. `port` is the real one, also when 0 was asked for."""

    def __init__(self, app: Flask, host: str, port: int, *, certificate: Certificate | None = None) -> None:
        self._app = app
        self._host = host
        self._secure = certificate is not None
        tokens: ValidationTokens = app.extensions["validation_tokens"]
        self._delivery = Delivery(app.extensions["tenant"], lambda: tokens.issue(issuer_root=self.url))
        self._server = wsgi.Server((host, port), app, request_queue_size=256, shutdown_timeout=1)
        self._server.gateway = Gateway
        self._server.requests = Pool(self._server, min=THREADS)
        self._server.expiration_interval = IDLE_SECONDS
        if certificate:
            adapter = BuiltinSSLAdapter(str(certificate.certificate), str(certificate.key))
            self._server.ssl_adapter = adapter
        self._server.prepare()
        self._thread = threading.Thread(target=self._server.serve, name="simulator", daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.bind_addr[1])

    @property
    def url(self) -> str:
        return f"{'https' if self._secure else 'http'}://{self._host}:{self.port}"

    def start(self) -> "SimulatorServer":
        """Serves in a thread of its own; connections are accepted from the moment this object exists."""
        self._thread.start()
        self._delivery.start()
        return self

    def stop(self) -> None:
        """Drops what is held and ends every thread."""
        faults: Faults = self._app.extensions["faults"]
        faults.end()  # a thread that is still held would never let the server stop
        self._server.stop()
        self._delivery.stop()
        self._thread.join(timeout=5)


def serve(app: Flask, host: str, port: int, *, certificate: Certificate | None = None) -> SimulatorServer:
    """A server for the app, bound but not started. Raises OSError when the port is taken."""
    return SimulatorServer(app, host, port, certificate=certificate)


def settings_of(tenant: Tenant, url: str) -> dict[str, str]:
    """The settings a client of this tenant needs, by the names of their environment variables."""
    return {
        "GRAPH_BASE_URL": f"{url}/v1.0",
        "TENANT_ID": tenant.id,
        "CLIENT_ID": tenant.app.id,
        "CLIENT_SECRET": tenant.app.secret,
        "ORGANIZER_MAILBOXES": ",".join(person.mail for person in tenant.organizers),
        "SENDER_MAILBOXES": ",".join(person.mail for person in tenant.senders),
    }


class UnreadableFaults(click.ClickException, BadFault):
    """A file of faults that cannot be used; a command ends with the message, which names the file."""

    def __init__(self, file: Path, wrong: Exception) -> None:
        super().__init__(f"{file} is no JSON list of faults: {wrong}")


def order_from(file: Path, tenant: Tenant, faults: Faults) -> None:
    """Orders the faults in a file, of exchanges and notifications. Raises UnreadableFaults."""
    try:
        for sent in json.loads(file.read_text(encoding="utf-8")):
            if "notifications" in sent:
                tenant.subscriptions.deliveries.orders.append(read_delivery_fault(sent))
            else:
                faults.order(read_fault(sent))
    except (ValueError, TypeError, AttributeError) as wrong:
        raise UnreadableFaults(file, wrong) from wrong


def run_simulator(
    port: int = 8365,
    people: int = 24,
    seed: int = 7,
    record: Path | None = None,
    faults_file: Path | None = None,
    clock_file: Path | None = None,
    starts_at: datetime | None = None,
) -> None:
    """Serves a seeded tenant on the loopback address until Ctrl-C.

    With `starts_at` the clock stands until `POST /control/clock` moves it; without, it runs in real time.
    `faults_file` holds a JSON list as `POST /control/faults` takes it.
    """
    clock = MovableClock(starts_at, file=clock_file)
    tenant = build_tenant(people=people, seed=seed, clock=clock)
    faults = Faults()
    if faults_file:
        order_from(faults_file, tenant, faults)
    recorder = Recorder(record) if record else None
    server = serve(create_simulator(tenant, faults=faults, recorder=recorder), "127.0.0.1", port).start()
    for name, value in settings_of(tenant, server.url).items():
        click.echo(f"{name}={value}")
    click.echo(
        f"Microsoft 365 in a box: {server.url} ({len(tenant.directory.people)} people). Ctrl-C ends it.", err=True
    )
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        server.stop()
    finally:
        if recorder:
            recorder.close()
