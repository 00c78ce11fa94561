"""Rules that are cheaper to test than to remember."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

from integration.app import create_app
from integration.config import SETTINGS, Settings
from integration.jobs import DUTIES, HANDLERS
from integration.outbox import Task

ROOT = Path(__file__).parents[2]
LONGEST_FILE = 350
BANNED = re.compile(r"(Manager|Helper|Util|Utils|Service|DTO|Info|Processor|Handler)$")
BANNED_FILES = re.compile(r"(manager|helpers?|utils?|services?|common|misc|base)\.py$")


def sources() -> list[Path]:
    return sorted(path for path in (ROOT / "integration").rglob("*.py") if "versions" not in path.parts)


def test_there_is_one_commit_in_the_project() -> None:
    calls = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources()
        if path.name not in ("migrate.py", "env.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]
    assert [call.rpartition(":")[0] for call in calls] == ["integration/db.py"], calls


def test_each_task_has_a_handler() -> None:
    assert set(Task) - set(HANDLERS) == set()


def test_handlers_take_the_tools_and_an_id() -> None:
    for task, handler in HANDLERS.items():
        assert next(iter(inspect.signature(handler).parameters)) == "tools", task
        assert len(inspect.signature(handler).parameters) == 2, task


def test_duties_have_names_of_their_own() -> None:
    names = [duty.name for duty in DUTIES]
    assert len(names) == len(set(names))
    assert names


def test_files_are_short_enough_to_be_read() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_nothing_has_a_name_that_says_nothing() -> None:
    files = [str(path.relative_to(ROOT)) for path in sources() if BANNED_FILES.search(path.name)]
    classes = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and BANNED.search(node.name)
    ]
    assert files + classes == []


def test_nothing_is_swallowed() -> None:
    """`except Exception` may stand where a loop must go on; it never does nothing."""
    guilty = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception"))
        and all(isinstance(step, ast.Pass | ast.Continue | ast.Constant) for step in node.body)
    ]
    assert guilty == []


def test_functions_say_what_they_return() -> None:
    guilty = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is None
    ]
    assert guilty == []


def test_all_packages_views_are_registered(tmp_path: Path) -> None:
    app = create_app(Settings.from_environment({"DATA_DIR": str(tmp_path)}))
    modules = {view.__module__ for view in app.view_functions.values()}
    for path in sources():
        if path.name == "views.py":
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            package = name.removesuffix(".views")
            assert any(module.startswith(package) for module in modules), name
    app.extensions["tools"].close()


def test_help_is_quick_and_imports_neither_the_sdk_nor_flask() -> None:
    script = (
        "import sys; from click.testing import CliRunner; from integration.cli import pods\n"
        "answer = CliRunner().invoke(pods, ['--help']); assert answer.exit_code == 0, answer.output\n"
        "print(sorted({'msgraph', 'flask', 'sqlalchemy', 'rq', 'azure', 'numpy', 'scipy'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert answer.stdout.strip() == "[]"


def test_settings_that_are_read_are_in_the_table() -> None:
    """Settings come from the table only (and what Azure tells a workload in its own way): nothing else reads them."""
    guilty = [
        str(path.relative_to(ROOT))
        for path in sources()
        if re.search(r"os\.environ|os\.getenv", path.read_text(encoding="utf-8"))
        and path.name not in ("config.py", "tools.py", "app.py", "cli.py", "running.py", "credential.py")
        and "demo" not in path.parts
    ]
    assert guilty == []
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)
