"""docs/permissions.md lists what the client does, with the permission that Microsoft's own table names."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from integration.graph import operations
from integration.graph.operations import OPERATIONS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "permissions.md"
TABLE = ROOT.parent / "shared" / "graph" / "contract" / "permissions.json"
ROW = re.compile(r"^\| `(\w+) (\S+)` \| (\S+) \|", re.MULTILINE)


def documented() -> dict[tuple[str, str], str | None]:
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    return {(method, path): None if least == "-" else least for method, path, least in rows}


def test_the_page_lists_every_request_and_no_other() -> None:
    assert documented() == {(each.method, each.path): each.permission for each in OPERATIONS}


def test_every_least_permission_is_microsofts() -> None:
    if not TABLE.exists():
        pytest.skip("Microsoft's permissions table is not on this machine")
    paths = json.loads(TABLE.read_text(encoding="utf-8"))["paths"]
    named = {(method, path): least for (method, path), least in documented().items() if least is not None}
    assert named == {(method, path): paths[path][method]["application"]["least"] for method, path in named}


def test_every_request_of_the_client_is_one_of_the_listed_operations() -> None:
    used: set[str] = set()
    for file in (ROOT / "integration" / "graph").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "operations":
                used.add(node.attr)
    assert used == {name for name, value in vars(operations).items() if value in OPERATIONS}
