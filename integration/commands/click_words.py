"""What Click says of itself, in our languages: the frame of every help page, and what is wrong with a command.

Click looks its texts up with gettext in compiled catalogs of the machine, and brings none; here it asks ours instead.
The answers to a question stay "y" and "n", and so do the words that options take: they are typed, not read.
"""

from __future__ import annotations

from types import ModuleType

from click import core, decorators, exceptions, formatting, parser, termui, types

from integration.language import Lazy, gettext, lazy, ngettext

WORDS: tuple[Lazy | str, ...] = (
    lazy("Usage:"),
    lazy("Options"),
    lazy("Commands"),
    lazy("Positional arguments"),
    lazy("default: {default}"),
    lazy("required"),
    lazy("Show this message and exit."),
    lazy("Show the version and exit."),
    lazy("%(prog)s, version %(version)s"),
    lazy("Aborted!"),
    lazy("Error: {message}"),
    lazy("Error: invalid input"),
    lazy("Try '{command} {option}' for help."),
    lazy("Missing command."),
    lazy("Missing argument"),
    lazy("Missing option"),
    lazy("Missing parameter"),
    lazy("No such option {name!r}."),
    lazy("No such command {name!r}."),
    lazy("Option {name!r} does not take a value."),
    lazy("Argument {name!r} takes {nargs} values."),
    lazy("Invalid value: {message}"),
    lazy("Invalid value for {param_hint}: {message}"),
    lazy("{value!r} is not a valid {number_type}."),
    lazy("{value} is not in the range {range}."),
    lazy("Choose from:\n\t{choices}"),
    lazy("file"),
    lazy("directory"),
    lazy("path"),
    lazy("{name} {filename!r} does not exist."),
    lazy("{name} {filename!r} is a file."),
    lazy("{name} {filename!r} is a directory."),
    lazy("{name} {filename!r} is not readable."),
    lazy("{name} {filename!r} is not writable."),
    ngettext("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)", 1),
    ngettext("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})", 1),
    ngettext("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments.", 1),
    ngettext("{value!r} is not {choice}.", "{value!r} is not one of {choices}.", 1),
    ngettext("{value!r} does not match the format {format}.", "{value!r} does not match the formats {formats}.", 1),
)
MODULES: tuple[ModuleType, ...] = (core, decorators, exceptions, formatting, parser, termui, types)


def let_click_speak() -> None:
    """From here on Click speaks the language that is spoken; a text that we do not know stays English."""
    for module in MODULES:
        for name, ours in (("_", gettext), ("ngettext", ngettext)):
            if hasattr(module, name):
                setattr(module, name, ours)
