"""A plain HTTP client for the simulator's own tests: no SDK, so that what is seen is what was sent."""

from collections.abc import Iterator

import httpx
import pytest

from .receiver import Receiver


@pytest.fixture
def graph(simulator) -> Iterator[httpx.Client]:
    """Speaks to Graph with a token that carries every role."""
    headers = {"Authorization": f"Bearer {simulator.token()}"}
    with httpx.Client(base_url=simulator.graph_url, headers=headers, timeout=20, verify=False) as client:
        yield client


@pytest.fixture
def control(simulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{simulator.url}/control", timeout=20, verify=False) as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Where notifications arrive."""
    receiver = Receiver()
    yield receiver
    receiver.stop()
