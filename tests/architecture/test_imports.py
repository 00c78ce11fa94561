"""Who may import whom: the direction of dependency, read off the source."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "integration"
FOUNDATION = {
    "config",
    "setting_values",
    "language",
    "formats",
    "wording",
    "db",
    "clock",
    "errors",
    "log",
    "outbox",
    "asking",
    "due",
    "duties",
    "doorbell",
    "tools",
    "delivery",
    "signing",
    "sealing",
}
FEATURES = [
    "inbox",
    "summaries",
    "metrics",
    "feedback",
    "attendance",
    "scheduling",
    "people",
]  # each may import those after it
EDGES = re.compile(r"(jobs(_\w+)?|views(_\w+)?)\.py")


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path, *, at_run_time: bool = True) -> Iterator[str]:
    """Every module that a file imports, also inside functions; not what is imported for types only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {id(node) for block in ast.walk(tree) if _for_types_only(block) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if at_run_time and id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = _in_full(path, node)
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _in_full(path: Path, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    package = ".".join(path.relative_to(ROOT).parts[: -node.level])
    return f"{package}.{node.module}" if node.module else package


def _for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def is_edge(path: Path) -> bool:
    """Only these see Graph (jobs) or HTTP (views) beside the domain."""
    return EDGES.fullmatch(path.name) is not None


def is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def feature_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


def test_only_the_graph_package_imports_the_sdk() -> None:
    guilty = [
        name_of(path)
        for path in modules()
        for name in imports(path)
        if any(is_in(name, sdk) for sdk in ("msgraph", "msgraph_core", "kiota_abstractions", "azure", "kiota_http"))
        and feature_of(path) != "graph"
    ]
    assert guilty == []


def test_graph_knows_nothing_of_the_domain() -> None:
    # Language is foundation as errors are, which import it too: a refusal is worded where Graph's answer is read, as
    # `lazy`, and a Lazy has to find its catalog when it is read. A module of bare values would only hide that way.
    allowed = {f"integration.{name}" for name in ("config", "errors", "clock", "log", "language", "graph")}
    guilty = [
        (name_of(path), name)
        for path in modules()
        if feature_of(path) == "graph" and "simulator" not in path.parts
        for name in imports(path)
        if is_in(name, "integration") and not any(is_in(name, fine) for fine in allowed)
    ]
    assert guilty == []


def test_the_simulator_imports_nothing_of_the_product() -> None:
    guilty = [
        (name_of(path), name)
        for path in modules()
        if "simulator" in path.parts
        for name in imports(path)
        if is_in(name, "integration") and not is_in(name, "integration.graph.simulator")
    ]
    assert guilty == []


@pytest.mark.parametrize("hidden", ["integration.graph.simulator", "integration.demo"])
def test_the_product_does_not_know_that_it_is_demonstrated(hidden: str) -> None:
    own = ("integration.demo", "integration.graph.simulator", "integration.cli", "integration.commands")
    guilty = [
        (name_of(path), name)
        for path in modules()
        if not any(is_in(name_of(path), allowed) for allowed in own)
        for name in imports(path)
        if is_in(name, hidden)
    ]
    assert guilty == []


def test_domain_files_know_neither_the_web_nor_the_queue_nor_graph() -> None:
    outside = ("flask", "werkzeug", "rq", "redis", "integration.graph", "integration.tools", "httpx")
    domain = [*FEATURES, "mail"]
    plain = ("integration.graph.resources", "integration.graph.zones")  # frozen values, no calls
    guilty = [
        (name_of(path), name)
        for path in modules()
        if feature_of(path) in domain and not is_edge(path)
        for name in imports(path)
        if any(is_in(name, each) for each in outside) and not any(is_in(name, each) for each in plain)
    ]
    assert guilty == []


def test_views_never_call_graph() -> None:
    guilty = [
        (name_of(path), name)
        for path in modules()
        if path.name == "views.py" or feature_of(path) in ("admin", "portal")
        for name in imports(path)
        if is_in(name, "integration.graph")
    ]
    assert guilty == []


def test_features_depend_on_each_other_in_one_direction() -> None:
    guilty = [
        (name_of(path), name)
        for path in modules()
        if feature_of(path) in FEATURES
        for name in imports(path)
        for later in FEATURES[: FEATURES.index(feature_of(path))]
        if is_in(name, f"integration.{later}")
    ]
    assert guilty == []


def test_mail_serves_all_features_and_knows_none() -> None:
    guilty = [
        (name_of(path), name)
        for path in modules()
        if feature_of(path) == "mail"
        for name in imports(path)
        if any(is_in(name, f"integration.{feature}") for feature in FEATURES if feature != "people")
    ]
    assert guilty == []


def test_webhooks_reach_the_others_through_the_outbox() -> None:
    guilty = [
        (name_of(path), name)
        for path in modules()
        if feature_of(path) == "webhooks"
        for name in imports(path)
        if any(is_in(name, f"integration.{feature}") for feature in FEATURES)
        and not name.startswith(("integration.scheduling.models", "integration.people.models"))
    ]
    assert guilty == []


def test_announcing_serves_all_features_and_knows_none() -> None:
    guilty = [
        (name_of(path), name)
        for path in modules()
        if feature_of(path) == "announcing"
        for name in imports(path)
        if any(is_in(name, f"integration.{feature}") for feature in [*FEATURES, "mail", "admin", "api", "webhooks"])
        or (is_in(name, "httpx") and not is_edge(path))
    ]
    assert guilty == []


def test_the_foundation_knows_no_feature() -> None:
    guilty = [
        (name_of(path), name)
        for path in modules()
        if path.parent == PACKAGE and path.stem in FOUNDATION
        for name in imports(path)
        if is_in(name, "integration")
        and name.split(".")[1] not in FOUNDATION
        and not is_in(name, "integration.graph.client")  # tools connect to it when it is first used
    ]
    assert guilty == []
