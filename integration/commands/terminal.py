"""What commands begin with: the tools of this process, and a terminal to write to."""

from __future__ import annotations

from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from integration.admin.permissions import Visitor
    from integration.tools import Tools

READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
WRITABLE = click.Path(dir_okay=False, writable=True, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


def console() -> Console:
    """The terminal, or whatever standard output is."""
    from rich.console import Console

    return Console()


def tools_here() -> Tools:
    """The tools of this process, and its log as the settings want it; raises SettingRefused."""
    from integration import log
    from integration.tools import tools_of_this_process

    tools = tools_of_this_process()
    log.configure(level=tools.settings.log_level, as_json=tools.settings.log_json)
    return tools


def this_account() -> Visitor:
    """Whoever types: the account of this machine, as the audit trail shows it."""
    from integration.admin.permissions import Role, Visitor

    return Visitor(mail=f"terminal:{getuser()}", name="terminal", roles=frozenset({Role.ADMINISTRATOR}))
