"""What every test may ask for: a tenant of its own, and that tenant served over HTTP on a free port."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import structlog

from integration.graph.simulator.faults import Faults
from integration.graph.simulator.http.app import create_simulator
from integration.graph.simulator.http.auth import access_token
from integration.graph.simulator.http.server import SimulatorServer, serve, settings_of
from integration.graph.simulator.seed import build_tenant
from integration.graph.simulator.tenant.tenant import Tenant

pytest_plugins = ["tests.databases", "tests.browsers"]
LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")


class OutsideWorld(RuntimeError):
    """A test tried to leave the machine."""


@dataclass(frozen=True)
class RunningSimulator:
    """Microsoft 365 on this machine: `url` is the server, `graph_url` what GRAPH_BASE_URL would be."""

    tenant: Tenant
    faults: Faults
    server: SimulatorServer

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def graph_url(self) -> str:
        return f"{self.server.url}/v1.0"

    @property
    def settings(self) -> dict[str, str]:
        """What an environment says to lead the product here."""
        return settings_of(self.tenant, self.url)

    def token(self) -> str:
        """A bearer with the roles the tenant grants at this moment."""
        return access_token(self.tenant)


def _stay_here(event: str, arguments: tuple[object, ...]) -> None:
    if event != "socket.connect":
        return
    address = arguments[1]
    if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
        raise OutsideWorld(f"tests talk to this machine only, not to {address[0]}")


sys.addaudithook(_stay_here)


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """Commands configure the log of their process; here the next test would write where the last one did."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def tenant() -> Tenant:
    return build_tenant()


@pytest.fixture
def simulator(tenant: Tenant) -> Iterator[RunningSimulator]:
    faults = Faults()
    server = serve(create_simulator(tenant, faults=faults), "127.0.0.1", 0).start()
    yield RunningSimulator(tenant, faults, server)
    server.stop()
