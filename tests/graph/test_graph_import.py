"""What the web process imports must not cost it the SDK."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module", ["integration.graph.resources", "integration.graph.errors", "integration.graph.client"]
)
def test_no_module_of_the_door_imports_the_sdk(module: str) -> None:
    heavy = ("msgraph", "kiota_http", "azure.identity")
    facts = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", facts], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
