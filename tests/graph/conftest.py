from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.graph.client import Graph, connect
from tests.graph.scripted import ScriptedGraph


@pytest.fixture
def scripted() -> Iterator[ScriptedGraph]:
    server = ScriptedGraph()
    yield server
    server.close()


@pytest.fixture
def graph(scripted: ScriptedGraph) -> Iterator[Graph]:
    door = connect(scripted.settings)
    yield door
    door.close()
