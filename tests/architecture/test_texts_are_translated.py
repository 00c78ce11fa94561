"""Nothing that people read is left to one language: refusals everywhere, and whatever a terminal shows.

Read off the source as it is: a text that is written where it is said must go through a translation. A text that was
put into a variable first is not seen here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "integration"
FOR_DEVELOPERS = {"texts.py"}
TRANSLATING = {"_", "gettext", "ngettext", "lazy", "joined"}
SHOWN = {"echo", "confirm", "prompt", "print", "status", "Table", "add_column"}
NOT_SHOWN = {"type", "default", "style", "justify", "title_justify"}  # arguments that are not read
DECLARING = {"command", "group", "option", "argument", "Commands", "version_option"}
WORD = re.compile(r"[A-Za-z]{2}")
MARKUP = re.compile(r"\[/?[a-z ]*\]")


def sources() -> list[Path]:
    """All but the simulator, which plays Microsoft, and migrations."""
    return sorted(
        path
        for path in PACKAGE.rglob("*.py")
        if not {"simulator", "migrations"} & set(path.parts) and path.name not in FOR_DEVELOPERS
    )


def refusals(trees: dict[Path, ast.Module]) -> set[str]:
    """PodsError and everything that is derived from it."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found: set[str] = {"PodsError"}
    while new := {name for name, of in bases.items() if of & found} - found:
        found |= new
    return found


def untranslated(tree: ast.Module, refusals: set[str]) -> Iterator[tuple[int, str]]:
    """Line and text of whatever is said in one language only."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and _is_command(node) and ast.get_docstring(node):
            yield node.lineno, "help of a command as a docstring"
        if isinstance(node, ast.Call):
            yield from ((node.lineno, text) for part in _read(node, refusals) for text in _plain(part))


def _is_command(function: ast.FunctionDef) -> bool:
    return any(isinstance(each, ast.Call) and _name(each) in ("command", "group") for each in function.decorator_list)


def _read(call: ast.Call, refusals: set[str]) -> list[ast.expr]:
    """The arguments of a call that people will read."""
    name = _name(call)
    if name in refusals:
        given = call.args[1:] if name == "SettingRefused" else call.args  # the setting's name stays
        return [*given, *(each.value for each in call.keywords if each.arg in ("message", "remedy"))]
    if name in DECLARING:
        return [each.value for each in call.keywords if each.arg in ("help", "short_help", "epilog", "prompt")]
    if name in SHOWN:
        return [*call.args, *(each.value for each in call.keywords if each.arg not in NOT_SHOWN)]
    return []


def _plain(part: ast.AST) -> Iterator[str]:
    """Words that stand there as they are, outside of any call that translates."""
    if isinstance(part, ast.Call):
        if _name(part) in TRANSLATING:
            return
        if _name(part) not in ("escape", "str", "format"):
            return  # what other functions give back is looked at where they are
    if isinstance(part, ast.Subscript | ast.Compare | ast.Lambda):
        return
    if isinstance(part, ast.Constant) and isinstance(part.value, str) and WORD.search(MARKUP.sub("", part.value)):
        yield part.value
    for child in ast.iter_child_nodes(part):
        yield from _plain(child)


def _name(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def test_refusals_and_all_that_a_terminal_shows_are_translated() -> None:
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sources()}
    kinds = refusals(trees)
    guilty = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path, tree in trees.items()
        for line, text in untranslated(tree, kinds)
    ]
    assert guilty == [], 'write _("..."), or lazy("...") where it is said later'


@pytest.mark.parametrize(
    "careless",
    [
        'raise Conflict("The plan is out of date.", remedy=_("Make a new one."))',
        'raise Conflict(lazy("The plan is out of date."), remedy="Make a new one.")',
        'raise Conflict(f"Plan {plan_id} is out of date.")',
        'raise SettingRefused("PORT", f"is {text!r}.", remedy=_("Use a number."))',
        'raise SeriesTrouble("no link" if online else _("no room"))',
        'click.echo(f"{count} people")',
        'click.echo("  " + "nobody")',
        'console.print(escape(f"{name} is alone"), style="yellow")',
        'table = Table("Pod", _("People"))',
        'click.confirm("Go on?")',
        'option = click.option("--yes", help="Do not ask.")',
        '@pods.command()\ndef undo():\n    """Cancel everything."""',
    ],
)
def test_a_careless_text_is_noticed(careless: str) -> None:
    assert list(untranslated(ast.parse(careless), {"Conflict", "SettingRefused", "SeriesTrouble"})) != []


@pytest.mark.parametrize(
    "careful",
    [
        'raise Conflict(lazy("The plan is out of date."), remedy=lazy("Make a new one."))',
        'raise SettingRefused(f"{name}_FILE", lazy("%(name)s cannot be read."), remedy=lazy("Name a file."))',
        'console.print(f"[red]{escape(subject)}[/red]: {escape(trouble)}")',
        'click.prompt(_("What is right?"), type=click.Choice([*choices, "leave"]), default="leave")',
        'option = click.option("--port", metavar="PORT", help=_("Port to listen on."))',
        'log.info("series pushed", series_id=7)',
    ],
)
def test_a_careful_text_and_a_line_of_the_log_are_not(careful: str) -> None:
    assert list(untranslated(ast.parse(careful), {"Conflict", "SettingRefused"})) == []
