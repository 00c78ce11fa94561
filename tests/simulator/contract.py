"""Judges what the simulator answers by the published schemas of Graph, where a copy of the checker lies beside us."""

import functools
import importlib.util
import json
import warnings
from pathlib import Path

import httpx
import pytest

CHECKER = Path(__file__).resolve().parents[3] / "shared" / "graph" / "contract" / "check_traffic.py"


@functools.cache
def load_contract():
    if not CHECKER.exists():
        pytest.skip("the contract checker is not beside this project")
    spec = importlib.util.spec_from_file_location("check_traffic", CHECKER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the checker leaves its schema file open
        return module.Contract()


def violations(contract, answer: httpx.Response) -> list[str]:
    """What is wrong with an answer, whatever was asked."""
    found = contract.check(
        answer.request.method,
        str(answer.request.url),
        status=answer.status_code,
        response_json=json.loads(answer.content) if answer.content else None,
        sides="response",
    )
    return [str(one) for one in found if one.level == "error"]
