"""The scripted Graph of the client's tests, answering with what Microsoft documents."""

from tests.graph.conftest import graph, scripted

__all__ = ["graph", "scripted"]
